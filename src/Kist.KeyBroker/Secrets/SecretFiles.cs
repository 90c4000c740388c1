using System.Text;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>Small files with a secret that nobody but their owner may read.</summary>
static class SecretFiles
{
    /// <summary>The file's one line, without its end. The caller disposes it.</summary>
    /// <exception cref="OperationFailedException">It is missing, longer than that, or others may read it.</exception>
    public static SecretBytes ReadLine(string path, int maxBytes, string step)
    {
        try
        {
            const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            if ((File.GetUnixFileMode(file.SafeFileHandle) & others) != 0)
                throw new OperationFailedException(step, path, "others than its owner may read or write it", $"chmod 600 {path}");
            using var text = new SecretBytes(maxBytes + 1);
            var length = file.ReadAtLeast(text.Span, text.Length, throwOnEndOfStream: false);
            var line = text.Span[..length].TrimEnd("\r\n"u8);
            return length <= maxBytes && line.Length > 0
                ? SecretBytes.CopyOf(line)
                : throw new OperationFailedException(step, path, length > maxBytes ? $"it is longer than {maxBytes} bytes" : "it is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException(step, path, e.Message, inner: e);
        }
    }

    /// <summary>The line as text, where a protocol has no other form for it: a header's value.</summary>
    public static string ReadText(string path, int maxBytes, string step)
    {
        using var line = ReadLine(path, maxBytes, step);
        return Encoding.UTF8.GetString(line.Span);
    }
}
