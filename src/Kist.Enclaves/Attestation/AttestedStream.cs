using System.Net.Security;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// A connection to a peer that proved itself, for as long as that counts. When the proof is too old, nothing more is sent or
/// received: whoever goes on has the peer prove itself anew on the same connection, or connects again.
/// </summary>
/// <param name="tls">The connection; owned.</param>
/// <param name="peer">Whom to accept.</param>
/// <param name="maxAge">How long a proof counts.</param>
/// <param name="time">The clock.</param>
public sealed class AttestedStream(SslStream tls, RaTlsPeer peer, TimeSpan maxAge, TimeProvider time) : Stream
{
    private long _provedAt = time.GetTimestamp();

    /// <summary>True if the peer must prove itself anew before anything more is said.</summary>
    public bool IsExpired => time.GetElapsedTime(Interlocked.Read(ref _provedAt)) >= maxAge;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Has the peer prove itself anew. Nothing else may be said meanwhile; the peer must expect a challenge.</summary>
    /// <exception cref="PeerRefusedException">It does not prove to be whom it should be; the connection is closed.</exception>
    public async Task ReattestAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var judged = await ChallengeProtocol.ChallengeAsync(tls, peer, cancellationToken).ConfigureAwait(false);
        if (!judged.IsAccepted)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new PeerRefusedException(judged, judged.Reason!, null);
        }

        Interlocked.Exchange(ref _provedAt, started);
    }

    /// <inheritdoc/>
    public override void Flush() => tls.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => tls.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        DemandProof();
        var read = tls.Read(buffer, offset, count);
        DemandProof();
        return read;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        DemandProof();
        var read = await tls.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        // What arrives after a long silence comes from a peer whose proof has grown old.
        DemandProof();
        return read;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        DemandProof();
        tls.Write(buffer, offset, count);
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        DemandProof();
        return tls.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await tls.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            tls.Dispose();
        base.Dispose(disposing);
    }

    private void DemandProof()
    {
        if (IsExpired)
            throw new OperationFailedException("use RA-TLS connection", "peer's proof", $"it is older than {maxAge}", "have the peer prove itself anew, or connect again");
    }
}
