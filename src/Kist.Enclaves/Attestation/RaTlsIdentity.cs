using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Attestation.RaTls;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// An enclave's TLS key, which is made here and never leaves, and its RA-TLS certificate. The certificate lives for a day;
/// when half of that is over the enclave proves itself anew, so that peers see its platform's present state. Peers refuse an
/// expired one: whoever keeps connections open for longer challenges again (<see cref="ChallengeProtocol"/>).
/// </summary>
/// <param name="quoter">Quotes.</param>
/// <param name="time">The clock.</param>
/// <param name="endorsements">Collateral to send along, asked for with each certificate; null for none.</param>
public sealed class RaTlsIdentity(IEnclaveQuoter quoter, TimeProvider time, Func<DcapCollateral?>? endorsements = null) : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly SemaphoreSlim _gate = new(1);
    private X509Certificate2? _certificate;

    /// <summary>The public key, DER.</summary>
    public byte[] SubjectPublicKeyInfo => _key.ExportSubjectPublicKeyInfo();

    /// <summary>Evidence for this key that answers a nonce.</summary>
    public async Task<byte[]> EvidenceAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellationToken)
    {
        var claims = DiceClaims.Encode(SubjectPublicKeyInfo, nonce);
        return DiceEvidence.Encode(await quoter.QuoteAsync(SHA256.HashData(claims), cancellationToken).ConfigureAwait(false), claims);
    }

    /// <summary>The certificate with its key. A connection that has an earlier one keeps it; the caller disposes none.</summary>
    public async Task<X509Certificate2> CertificateAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = time.GetUtcNow();
            if (_certificate is null || now > _certificate.NotBefore + ((_certificate.NotAfter - _certificate.NotBefore) / 2))
                _certificate = await RaTlsCertificate.CreateAsync(_key, quoter, time, endorsements?.Invoke(), nonce: null, cancellationToken).ConfigureAwait(false);
            return _certificate;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate?.Dispose();
        _key.Dispose();
        _gate.Dispose();
    }
}
