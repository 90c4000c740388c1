using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Tsp;
using Org.BouncyCastle.Utilities.Collections;

namespace Kist.Images.Signatures;

/// <summary>
/// Verifies an authority's word that a signature existed at a time (RFC 3161): a response, in it a token, signed by a certificate
/// that is in the token or among the authority's own.
/// </summary>
static class TimestampVerifier
{
    private const int Granted = 0, GrantedWithModifications = 1;

    /// <summary>Verifies a response.</summary>
    /// <param name="response">TimeStampResp in DER.</param>
    /// <param name="signature">The signature that is said to have existed.</param>
    /// <param name="authorities">Who is trusted to say so.</param>
    /// <returns>Why it does not count, or null; and the time.</returns>
    public static (string? Reason, DateTimeOffset? Time) Verify(byte[] response, byte[] signature, IReadOnlyList<SigningAuthority> authorities)
    {
        try
        {
            var parsed = new TimeStampResponse(response);
            if (parsed.Status is not (Granted or GrantedWithModifications) || parsed.TimeStampToken is not { } token)
                return ("a timestamp was not granted", null);
            if (!IsOver(signature, token.TimeStampInfo))
                return ("a timestamp is of another signature", null);
            return VerifyToken(token, authorities);
        }
        catch (Exception e) when (e is TspException or CmsException or IOException or ArgumentException or InvalidOperationException or CryptographicException)
        {
            return ($"a timestamp is damaged: {e.Message}", null);
        }
    }

    private static bool IsOver(byte[] signature, TimeStampTokenInfo info)
    {
        var expected = info.MessageImprintAlgOid switch
        {
            "2.16.840.1.101.3.4.2.1" => SHA256.HashData(signature),
            "2.16.840.1.101.3.4.2.2" => SHA384.HashData(signature),
            "2.16.840.1.101.3.4.2.3" => SHA512.HashData(signature),
            _ => null,
        };
        return expected is not null && expected.AsSpan().SequenceEqual(info.GetMessageImprintDigest());
    }

    private static (string? Reason, DateTimeOffset? Time) VerifyToken(TimeStampToken token, IReadOnlyList<SigningAuthority> authorities)
    {
        var time = new DateTimeOffset(DateTime.SpecifyKind(token.TimeStampInfo.GenTime, DateTimeKind.Utc));
        var brought = token.GetCertificates().EnumerateMatches(null).Select(c => c.GetEncoded()).ToList();
        string? reason = "a timestamp is by no authority that is trusted";
        foreach (var authority in authorities)
        {
            foreach (var encoded in brought.Concat(authority.Certificates.Select(c => c.RawData)))
            {
                var certificate = new Org.BouncyCastle.X509.X509Certificate(encoded);
                if (!token.SignerID.Match(certificate))
                    continue;
                // The signature, that the certificate is the one that was signed with, its purpose, and that it was valid at the time.
                token.Validate(certificate);
                using var signer = X509CertificateLoader.LoadCertificate(encoded);
                reason = authority.Verify(signer, [.. brought.Select(X509CertificateLoader.LoadCertificate)], time, out _);
                if (reason is null)
                    return (null, time);
            }
        }

        return (reason, null);
    }
}
