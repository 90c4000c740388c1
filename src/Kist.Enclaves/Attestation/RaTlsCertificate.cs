using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Attestation.RaTls;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// A self-signed certificate that proves by a quote in it that its key lives in an enclave or a trust domain (RA-TLS), in the form
/// that RATS-TLS, Gramine and Intel's SDK read: extension 2.23.133.5.4.9 holds the evidence, 2.23.133.5.4.2 what vouches for it.
/// </summary>
public static class RaTlsCertificate
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Makes a certificate for a key. Valid for a day: afterwards the enclave proves itself anew.</summary>
    /// <param name="key">The key; the caller keeps it.</param>
    /// <param name="quoter">Quotes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="endorsements">Collateral for verifiers that cannot get it themselves; null for none.</param>
    /// <param name="nonce">A nonce that one verifier gave for it; null for a certificate that is for everybody.</param>
    /// <param name="cancellationToken">Stops waiting for the quote.</param>
    public static async Task<X509Certificate2> CreateAsync(
        ECDsa key, IEnclaveQuoter quoter, TimeProvider time, DcapCollateral? endorsements, ReadOnlyMemory<byte>? nonce, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(quoter);
        ArgumentNullException.ThrowIfNull(time);
        var claims = DiceClaims.Encode(key.ExportSubjectPublicKeyInfo(), nonce);
        var quote = await quoter.QuoteAsync(SHA256.HashData(claims), cancellationToken).ConfigureAwait(false);
        var request = new CertificateRequest("CN=Kist enclave", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(RaTlsEvidence.EvidenceOid, DiceEvidence.Encode(quote, claims), critical: false));
        if (endorsements is not null)
            request.CertificateExtensions.Add(new X509Extension(RaTlsEvidence.EndorsementsOid, DiceEndorsements.Encode(endorsements), critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now - s_clockSkew, now + s_lifetime);
    }

    /// <summary>Makes a certificate without endorsements, for everybody.</summary>
    /// <param name="key">The key; the caller keeps it.</param>
    /// <param name="quoter">Quotes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops waiting for the quote.</param>
    public static Task<X509Certificate2> CreateAsync(ECDsa key, IEnclaveQuoter quoter, TimeProvider time, CancellationToken cancellationToken) =>
        CreateAsync(key, quoter, time, endorsements: null, nonce: null, cancellationToken);
}
