using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Host;

/// <summary>The enclave's TLS key, which is made in it and never leaves it, and the proofs that it is this enclave's.</summary>
sealed class EnclaveIdentity(PlatformQuoter quoter, TimeProvider time) : IDisposable
{
    private readonly RaTlsIdentity _tls = new(quoter, time);

    /// <summary>DICE evidence that answers a challenge for this key.</summary>
    public Task<byte[]> EvidenceAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellationToken) =>
        _tls.EvidenceAsync(Checked(nonce), cancellationToken);

    /// <summary>The local REPORT whose quote <see cref="EvidenceAsync"/> would hold: 432 bytes.</summary>
    public async Task<byte[]> ReportAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellationToken) =>
        (await quoter.ReportAsync(SHA256.HashData(DiceClaims.Encode(_tls.SubjectPublicKeyInfo, Checked(nonce))), cancellationToken).ConfigureAwait(false)).Bytes.ToArray();

    /// <summary>The RA-TLS certificate.</summary>
    public Task<X509Certificate2> CertificateAsync(CancellationToken cancellationToken) => _tls.CertificateAsync(cancellationToken);

    public void Dispose() => _tls.Dispose();

    private static ReadOnlyMemory<byte> Checked(ReadOnlyMemory<byte> nonce) =>
        nonce.Length is < ChallengeProtocol.MinNonceSize or > DiceClaims.MaxNonceSize
            ? throw new MalformedDataException("nonce", -1, $"{nonce.Length} bytes, not {ChallengeProtocol.MinNonceSize} to {DiceClaims.MaxNonceSize}")
            : nonce;
}
