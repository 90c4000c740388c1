using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation.RaTls;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// The challenge inside an RA-TLS connection: the verifier sends a nonce, the enclave answers with evidence that binds
/// nonce and TLS key. Both are a 16-bit length, most significant byte first, and that many bytes.
/// </summary>
public static class ChallengeProtocol
{
    /// <summary>Least bytes of a nonce.</summary>
    public const int MinNonceSize = 8;

    private const int NonceSize = 32;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Connects to an enclave, challenges it once and judges the answer.</summary>
    /// <param name="stream">The connection; disposed afterwards.</param>
    /// <param name="peer">Whom to accept.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static async Task<EnclaveVerification> ChallengeAsync(Stream stream, RaTlsPeer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        try
        {
            var (tls, first) = await RaTlsConnection.ConnectAsync(stream, peer, own: null, limit.Token).ConfigureAwait(false);
            await using (tls.ConfigureAwait(false))
            {
                var answer = await ChallengeAsync(tls, peer, limit.Token).ConfigureAwait(false);
                return first.IsAccepted ? answer : first;
            }
        }
        catch (PeerRefusedException e) when (e.Verification is { } refused)
        {
            return refused;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OperationFailedException("challenge enclave", "RA-TLS connection", $"no answer within {s_patience.TotalSeconds:0} s", isTransient: true, inner: e);
        }
    }

    /// <summary>Challenges the enclave at the other end of a living connection, as often as one likes: it proves itself as of now.</summary>
    /// <param name="tls">The connection, on which nothing else is being said; it stays open.</param>
    /// <param name="peer">Whom to accept.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static async Task<EnclaveVerification> ChallengeAsync(SslStream tls, RaTlsPeer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tls);
        ArgumentNullException.ThrowIfNull(peer);
        var nonce = RandomNumberGenerator.GetBytes(NonceSize);
        await WriteAsync(tls, nonce, cancellationToken).ConfigureAwait(false);
        var evidence = DiceEvidence.Parse(await ReadAsync(tls, DiceEvidence.MaxSize, cancellationToken).ConfigureAwait(false));
        var key = ((X509Certificate2)tls.RemoteCertificate!).PublicKey.ExportSubjectPublicKeyInfo();
        return new EnclaveVerification(RaTlsVerifier.Verify(evidence, key, nonce, peer.Options()));
    }

    /// <summary>Answers challenges until the peer has no more.</summary>
    /// <param name="tls">The connection.</param>
    /// <param name="answer">Makes evidence for a nonce.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>How many were answered.</returns>
    public static async Task<int> AnswerAsync(
        Stream tls, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>> answer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tls);
        ArgumentNullException.ThrowIfNull(answer);
        var answered = 0;
        while (await TryReadAsync(tls, DiceClaims.MaxNonceSize, cancellationToken).ConfigureAwait(false) is { } nonce)
        {
            await WriteAsync(tls, await answer(nonce, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            answered++;
        }

        return answered;
    }

    private static async Task WriteAsync(Stream stream, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var frame = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, checked((ushort)message.Length));
        message.CopyTo(frame.AsMemory(2));
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int limit, CancellationToken cancellationToken) =>
        await TryReadAsync(stream, limit, cancellationToken).ConfigureAwait(false)
            ?? throw new MalformedDataException("challenge", -1, "the peer closed the connection in place of an answer");

    /// <summary>Reads a message; null if the connection ends before one begins.</summary>
    private static async Task<byte[]?> TryReadAsync(Stream stream, int limit, CancellationToken cancellationToken)
    {
        try
        {
            var header = new byte[2];
            if (await stream.ReadAsync(header.AsMemory(0, 1), cancellationToken).ConfigureAwait(false) == 0)
                return null;
            await stream.ReadExactlyAsync(header.AsMemory(1), cancellationToken).ConfigureAwait(false);
            var length = BinaryPrimitives.ReadUInt16BigEndian(header);
            if (length > limit)
                throw new MalformedDataException("challenge", 0, $"{length} bytes are more than the limit of {limit}");
            var message = new byte[length];
            await stream.ReadExactlyAsync(message, cancellationToken).ConfigureAwait(false);
            return message;
        }
        catch (EndOfStreamException e)
        {
            throw new MalformedDataException("challenge", -1, "the connection ended in the middle", e);
        }
    }
}
