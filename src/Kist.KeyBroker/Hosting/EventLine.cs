using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.KeyBroker.Hosting;

/// <summary>A line of the log about something that is no request.</summary>
static class EventLine
{
    public static string Write(DateTimeOffset at, string name, string? detail = null)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("at"u8, at);
            writer.WriteString("event"u8, name);
            if (detail is not null)
                writer.WriteString("detail"u8, detail);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
