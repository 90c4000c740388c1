namespace Kist.Rune;

/// <summary>A file that one process at a time holds; it is free again when that one closes it or ends, however.</summary>
static class ExclusiveFile
{
    /// <summary>Waits until it is free.</summary>
    /// <exception cref="IOException">It was not for as long as one waits.</exception>
    public static FileStream Lock(string path, TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(5);
            }
        }
    }
}
