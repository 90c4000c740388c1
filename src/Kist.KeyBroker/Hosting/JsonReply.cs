using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.KeyBroker.Hosting;

/// <summary>Answers in JSON that are written by hand.</summary>
static class JsonReply
{
    public static Reply Write(Action<Utf8JsonWriter> write, int status = 200)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            write(writer);
        return Reply.Json(buffer.ToArray(), status);
    }
}
