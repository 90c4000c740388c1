using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Enclaves.Signing.Service;

/// <summary>
/// What was signed and what was refused, one JSON object a line, each with the SHA-256 of the line before ("previous"; zeros in
/// the first): a line that is changed or taken out shows. Written to the disk before the signature is given out.
/// </summary>
public sealed class SigningLog : IDisposable
{
    private const int MaxLineBytes = 16 * 1024;

    private readonly FileStream _file;
    private readonly Lock _gate = new();
    private string _previous;

    /// <summary>Opens a log, or begins one.</summary>
    /// <exception cref="MalformedDataException">The lines that are there do not follow each other.</exception>
    public SigningLog(string path)
    {
        _previous = File.Exists(path) ? Verify(path) : new string('0', 64);
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    /// <summary>Checks a log. Returns the digest of its last line, which vouches for all of them.</summary>
    /// <exception cref="MalformedDataException">A line does not follow the one before.</exception>
    public static string Verify(string path)
    {
        var previous = new string('0', 64);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            using var entry = StrictJson.ParseObject(Encoding.UTF8.GetBytes(line), MaxLineBytes, "signing log");
            if (StrictJson.OptionalText(entry.RootElement, "previous", "signing log") != previous)
                throw new MalformedDataException("signing log", number, "the line does not follow the one before: something was changed or removed");
            previous = DigestOf(line);
        }

        return previous;
    }

    /// <summary>Appends an entry, and waits for the disk.</summary>
    public void Append(Action<Utf8JsonWriter> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        lock (_gate)
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                writer.WriteStartObject();
                write(writer);
                writer.WriteString("previous"u8, _previous);
                writer.WriteEndObject();
            }

            var line = Encoding.UTF8.GetString(buffer.ToArray());
            _file.Write(Encoding.UTF8.GetBytes(line + "\n"));
            _file.Flush(flushToDisk: true);
            _previous = DigestOf(line);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string DigestOf(string line) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line)));
}
