using System.Globalization;
using Kist.Linux;
using Kist.Linux.Files;

namespace Kist.Shim;

/// <summary>
/// The shim's log: lines into the pipe "log" of the bundle, which containerd copies to its own log. While containerd is
/// away, and when it is slow, lines are dropped: a log must not hold up a pod.
/// </summary>
/// <param name="bundle">The bundle's folder.</param>
/// <param name="id">The pod, for the lines.</param>
/// <param name="time">The clock.</param>
public sealed class ShimLog(string bundle, string id, TimeProvider time)
{
    private readonly Lock _lock = new();

    /// <summary>Something went wrong that nobody waits for.</summary>
    public void Error(string message) => Write("error", message);

    /// <summary>Something that helps to understand the next lines.</summary>
    public void Info(string message) => Write("info", message);

    private void Write(string level, string message)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture, $"time=\"{time.GetUtcNow():O}\" level={level} msg=\"{Escape(message)}\" pod={id} runtime=io.containerd.kist.v2\n");
        lock (_lock)
        {
            try
            {
                using var pipe = NamedPipe.TryOpenForWriting(Path.Combine(bundle, "log"));
                if (pipe is null)
                    return;
                using var stream = new FileStream(pipe, FileAccess.Write, bufferSize: 0);
                stream.Write(System.Text.Encoding.UTF8.GetBytes(line));
            }
            catch (Exception e) when (e is SystemCallException or IOException or UnauthorizedAccessException or NotSupportedException)
            {
                // Nobody reads it.
            }
        }
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
