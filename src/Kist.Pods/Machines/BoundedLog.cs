using System.Text;
using System.Text.RegularExpressions;

namespace Kist.Pods.Machines;

/// <summary>The last bytes that a guest's console or QEMU wrote. It never grows: the guest decides how much it prints.</summary>
public sealed partial class BoundedLog
{
    /// <summary>Bytes kept.</summary>
    public const int Capacity = 128 << 10;

    private readonly Lock _lock = new();
    private readonly byte[] _ring = new byte[Capacity];
    private long _written;

    /// <summary>What is kept, as text: control sequences are left out and control characters but newlines replaced, since a terminal would obey them.</summary>
    public override string ToString()
    {
        byte[] bytes;
        lock (_lock)
        {
            var start = Math.Max(0, _written - Capacity);
            bytes = new byte[_written - start];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = _ring[(start + i) % Capacity];
        }

        var text = new StringBuilder(bytes.Length);
        foreach (var c in EscapeSequence().Replace(Encoding.UTF8.GetString(bytes), ""))
        {
            if (c == '\n' || !char.IsControl(c))
                text.Append(c);
            else if (c != '\r')
                text.Append('\uFFFD');
        }

        return text.ToString();
    }

    /// <summary>What firmware uses to clear a screen and move about on it (ECMA-48, control sequences).</summary>
    [GeneratedRegex(@"\x1b\[[0-?]*[ -/]*[@-~]", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex EscapeSequence();

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            foreach (var b in bytes)
                _ring[_written++ % Capacity] = b;
        }
    }

    /// <summary>Copies a stream until it ends or breaks.</summary>
    internal async Task DrainAsync(Stream stream)
    {
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
                Append(buffer.AsSpan(0, read));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The writer is gone.
        }
    }
}
