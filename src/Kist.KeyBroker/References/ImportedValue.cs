using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.References;

/// <summary>A single reference value with its validity and source, as a change carries it.</summary>
sealed record ImportedValue(JsonElement Value, DateTimeOffset NotBefore, DateTimeOffset Expires, string Source)
{
    private const int MaxBytes = 1024 * 1024;

    public static byte[] Write(IEnumerable<string> values, DateTimeOffset notBefore, DateTimeOffset expires, string source)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("value"u8);
            foreach (var value in values)
                writer.WriteStringValue(value);
            writer.WriteEndArray();
            writer.WriteString("not_before"u8, notBefore);
            writer.WriteString("expires"u8, expires);
            writer.WriteString("source"u8, source);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static ImportedValue Read(byte[] body)
    {
        using var document = StrictJson.ParseObject(body, MaxBytes, "imported reference value");
        var root = document.RootElement;
        return new ImportedValue(
            root.GetProperty("value").Clone(), root.GetProperty("not_before").GetDateTimeOffset(), root.GetProperty("expires").GetDateTimeOffset(), root.GetProperty("source").GetString()!);
    }
}
