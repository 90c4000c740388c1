using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// Keeps what a container wrote: one JSON object a line, <c>{"time":…,"stream":"stdout","container":"main","data":base64}</c>, since output is
/// bytes and need not be text. It stops, and says so in the log, at a limit, so that a container cannot fill the disk.
/// </summary>
internal sealed class OutputLogWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _lock = new();
    private readonly long _maxBytes;
    private bool _full;

    public OutputLogWriter(string path, long maxBytes)
    {
        _maxBytes = maxBytes;
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
    }

    /// <summary>Appends a chunk as one line, with one write.</summary>
    public void Append(OutputChunk chunk)
    {
        lock (_lock)
        {
            if (_full)
                return;
            if (_file.Length > _maxBytes)
            {
                _full = true;
                var note = Encoding.UTF8.GetBytes(
                    string.Create(CultureInfo.InvariantCulture, $"kist: the log ends here: it has reached {_maxBytes} bytes\n"));
                _file.Write(Line(chunk with { Source = OutputSource.Stderr, Data = note }));
                return;
            }

            try
            {
                _file.Write(Line(chunk));
            }
            catch (IOException e)
            {
                _full = true;
                throw new OperationFailedException(
                    "keep container output", _file.Name, e.Message, "free space, or choose another state directory", inner: e);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    private static byte[] Line(OutputChunk chunk)
    {
        var buffer = new ArrayBufferWriter<byte>(chunk.Data.Length * 4 / 3 + 128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", chunk.Time);
            json.WriteString("stream", chunk.Source == OutputSource.Stdout ? "stdout" : "stderr");
            if (chunk.Container.Length > 0)
                json.WriteString("container", chunk.Container);
            json.WriteBase64String("data", chunk.Data.Span);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
