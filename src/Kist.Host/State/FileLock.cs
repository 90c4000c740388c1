using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// An exclusive lock on a file, which the kernel takes back when its holder ends, however it ends.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);
    private const int Attempts = 500;

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, or returns null if another process has it.</summary>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Takes the lock, waiting for up to ten seconds.</summary>
    public static FileLock Acquire(string path)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryAcquire(path) is { } held)
                return held;
            Thread.Sleep(RetryInterval);
        }

        throw new OperationFailedException(
            "lock", path, "another kist process has held it for ten seconds", "see whether one hangs: pgrep -a kist", isTransient: true);
    }

    public void Dispose() => _file.Dispose();
}
