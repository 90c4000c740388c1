namespace Kist.Attestation.EventLogs;

/// <summary>The events of a log, for inspection.</summary>
internal static class EventLogFields
{
    public static IEnumerable<EvidenceField> List(EventLog log, string path)
    {
        for (var i = 0; i < log.Entries.Length; i++)
        {
            var entry = log.Entries[i];
            var details = EventDetails.Read(entry);
            var text = details.Text ?? details.UnicodeName ?? (details.DevicePaths is { } nodes ? string.Join("/", nodes) : null);
            var digest = entry.Digests.IsEmpty ? "" : Convert.ToHexStringLower(entry.Digests[^1].Value.Span);
            yield return new EvidenceField(
                $"{path}.event_{i}", entry.Offset, -1, digest,
                $"register {entry.Index} {EventTypes.NameOf(entry.Type)}{(string.IsNullOrEmpty(text) ? "" : $": {text}")}");
        }

        foreach (var entry in log.RepeatedSeparators())
            yield return new EvidenceField($"{path}.repeated_separator", entry.Offset, -1, $"register {entry.Index}", "a firmware error: a phase ends only once");
    }
}
