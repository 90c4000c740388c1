using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Passes a blob through and fails if it is shorter or longer than its descriptor says, or, before it reports its end,
/// if its digest differs.
/// </summary>
/// <param name="inner">The content; closed with this stream.</param>
/// <param name="descriptor">What is expected.</param>
/// <param name="location">Where it comes from, for messages.</param>
public sealed class VerifyingStream(Stream inner, Descriptor descriptor, string location) : ForwardStream
{
    private readonly IncrementalHash _hash = descriptor.Digest.CreateHash();
    private long _read;
    private bool _proven;

    /// <inheritdoc/>
    public override long Length => descriptor.Size;

    /// <inheritdoc/>
    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Account(buffer[..count], buffer.Length);
        return count;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Account(buffer.Span[..count], buffer.Length);
        return count;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Account(ReadOnlySpan<byte> data, int asked)
    {
        _read += data.Length;
        if (_read > descriptor.Size)
            throw Lie($"longer than the {descriptor.Size} bytes that its descriptor says");
        _hash.AppendData(data);
        if (!data.IsEmpty || asked == 0 || _proven)
            return;
        if (_read < descriptor.Size)
            throw Lie($"ends after {_read} of the {descriptor.Size} bytes that its descriptor says");
        var hash = _hash.GetHashAndReset();
        if (!descriptor.Digest.MatchesHash(hash))
            throw Lie("its content has another digest: it was changed on the way or where it is stored");
        _proven = true;
    }

    private ContentMismatchException Lie(string reason) => new(location, descriptor.Digest, reason);
}
