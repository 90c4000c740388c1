using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// A self-signed certificate that proves by a quote in it that its key lives in an enclave (RA-TLS): extension
/// 2.23.133.5.4.9 holds the evidence.
/// </summary>
public static class RaTlsCertificate
{
    /// <summary>TCG DICE tagged evidence.</summary>
    public const string EvidenceOid = "2.23.133.5.4.9";

    /// <summary>TCG DICE endorsements (collateral that the peer may use); read by none here, since peers fetch their own.</summary>
    public const string EndorsementsOid = "2.23.133.5.4.2";

    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Makes a certificate for a key. Valid for a day: afterwards the enclave proves itself anew.</summary>
    /// <param name="key">The key; the caller keeps it.</param>
    /// <param name="quoter">Quotes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops waiting for the quote.</param>
    public static async Task<X509Certificate2> CreateAsync(ECDsa key, IEnclaveQuoter quoter, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(quoter);
        ArgumentNullException.ThrowIfNull(time);
        var claims = DiceEvidence.EncodeClaims(key.ExportSubjectPublicKeyInfo(), nonce: null);
        var quote = await quoter.QuoteAsync(SHA256.HashData(claims), cancellationToken).ConfigureAwait(false);
        var request = new CertificateRequest("CN=Kist enclave", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(EvidenceOid, DiceEvidence.Encode(quote, claims), critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now - s_clockSkew, now + s_lifetime);
    }

    /// <summary>The evidence in a certificate.</summary>
    /// <exception cref="MalformedDataException">There is none, or it is none.</exception>
    public static DiceEvidence ReadEvidence(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var extension = certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == EvidenceOid)
            ?? throw new MalformedDataException("RA-TLS certificate", -1, $"no extension {EvidenceOid}: the peer does not prove itself");
        return DiceEvidence.Parse(extension.RawData);
    }
}
