using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kist.KeyBroker.Hosting;

/// <summary>
/// Documents that are written by hand, in a buffer and by a writer that each thread keeps: growing a new buffer for each costs
/// several times what writing does. What is given out is a copy; secrets are not written here.
/// </summary>
static class JsonBytes
{
    // A larger buffer is not kept for the next document.
    private const int MaxKeptBytes = 256 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? t_writer;

    /// <summary>The bytes that <paramref name="write"/> writes; relaxed escaping, no white space.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        // Taken while they are in use, so that a document within a document gets ones of its own.
        var (buffer, writer) = (t_buffer ?? new ArrayBufferWriter<byte>(4096), t_writer);
        (t_buffer, t_writer) = (null, null);
        if (writer is null)
            writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        else
            writer.Reset(buffer);
        write(writer);
        writer.Flush();
        var bytes = buffer.WrittenSpan.ToArray();
        buffer.ResetWrittenCount();
        if (buffer.Capacity <= MaxKeptBytes)
            (t_buffer, t_writer) = (buffer, writer);
        return bytes;
    }
}
