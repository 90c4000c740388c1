using System.Text.Json;

namespace Kist.Attestation.EventLogs;

/// <summary>A log as Trustee's "uefi_event_logs" claim.</summary>
internal static class EventLogJson
{
    public static void Write(Utf8JsonWriter writer, EventLog log)
    {
        writer.WriteStartArray();
        foreach (var entry in log.Entries)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("details");
            EventDetails.Read(entry).Write(writer);
            writer.WriteBoolean("digest_matches_event", entry.DigestMatchesData);
            writer.WriteStartArray("digests");
            foreach (var (hash, value) in entry.Digests)
            {
                writer.WriteStartObject();
                writer.WriteString("alg", EventLogHashes.NameOf(hash));
                writer.WriteHex("digest", value.Span);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteBase64String("event", entry.Data.Span);
            writer.WriteNumber("index", entry.Index);
            writer.WriteString("type_name", EventTypes.NameOf(entry.Type));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
