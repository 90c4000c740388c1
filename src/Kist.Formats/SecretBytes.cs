using System.Security.Cryptography;

namespace Kist.Formats;

/// <summary>
/// Secret bytes in a buffer of their own: pinned, so that the collector leaves no copies behind, and zeroed when
/// disposed. A secret is never a string.
/// </summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] _buffer;
    private bool _disposed;

    /// <summary>Creates a buffer of <paramref name="length"/> zero bytes to be filled through <see cref="Span"/>.</summary>
    public SecretBytes(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _buffer = GC.AllocateArray<byte>(length, pinned: true);
    }

    /// <summary>Length in bytes.</summary>
    public int Length => _buffer.Length;

    /// <summary>The bytes themselves. Do not keep the span past <see cref="Dispose"/>.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _buffer;
        }
    }

    /// <summary>The bytes themselves, for asynchronous callers. Do not keep them past <see cref="Dispose"/>.</summary>
    public Memory<byte> Memory
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _buffer;
        }
    }

    /// <summary>Copies <paramref name="source"/>; whoever owns the source still has to zero it.</summary>
    public static SecretBytes CopyOf(ReadOnlySpan<byte> source)
    {
        var copy = new SecretBytes(source.Length);
        source.CopyTo(copy._buffer);
        return copy;
    }

    /// <summary>Fresh bytes from the system's generator.</summary>
    public static SecretBytes Random(int length)
    {
        var secret = new SecretBytes(length);
        RandomNumberGenerator.Fill(secret._buffer);
        return secret;
    }

    /// <summary>Zeroes the bytes.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        _disposed = true;
    }
}
