using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>
/// A copy of bytes in anonymous memory that nobody can change any more, not even this process (memfd_create(2) with all
/// seals). What was hashed is what a child process reads through <c>/dev/fd/N</c>.
/// </summary>
public static partial class SealedMemoryFile
{
    private const uint AllowSealing = 2, CloseOnExec = 1;
    private const int AddSeals = 1033, GetSeals = 1034, AllSeals = 0x1 | 0x2 | 0x4 | 0x8; // SEAL, SHRINK, GROW, WRITE

    /// <summary>Copies a stream to its end into sealed memory.</summary>
    /// <param name="name">A name for /proc; it has no other meaning.</param>
    /// <param name="content">What to copy.</param>
    /// <param name="maximumLength">More than this many bytes are refused.</param>
    public static SafeFileHandle Create(string name, Stream content, long maximumLength)
    {
        var handle = memfd_create(name, AllowSealing | CloseOnExec);
        if (handle.IsInvalid)
            throw SystemCallException.Last("create memory file", name);
        try
        {
            var buffer = new byte[1 << 20];
            long length = 0;
            for (int read; (read = content.Read(buffer)) > 0; length += read)
            {
                if (length + read > maximumLength)
                    throw new Kist.Formats.OperationFailedException("copy into memory", name, $"is longer than {maximumLength} bytes");
                RandomAccess.Write(handle, buffer.AsSpan(0, read), length);
            }

            SystemCallException.Check(fcntl(handle, AddSeals, AllSeals), "seal memory file", name);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>True if no byte of the file can change.</summary>
    public static bool IsSealed(SafeFileHandle handle) => fcntl(handle, GetSeals, 0) is >= 0 and var seals && (seals & AllSeals) == AllSeals;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);
}
