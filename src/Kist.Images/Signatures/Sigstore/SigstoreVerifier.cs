using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// Verifies a cosign signature offline: by a key, or by a certificate that was valid when a transparency log took the
/// signature, or a timestamp authority saw it. What is signed is not judged here.
/// </summary>
/// <param name="time">The time, for authorities that are judged now.</param>
sealed class SigstoreVerifier(TimeProvider time)
{
    /// <summary>Verifies a signature.</summary>
    /// <returns>Why it does not count, or null.</returns>
    public string? Verify(CosignSignature signature, SigstoreTrust trust)
    {
        try
        {
            if (trust.Keys.FirstOrDefault(k => IsSignedBy(signature, k)) is { } key)
                return CheckLogs(signature, key.ExportSubjectPublicKeyInfo(), trust).Reason;
            if (trust.Certificates is null)
                return "a signature is by another key, or damaged";
            return signature.Certificate is { } certificate ? VerifyCertificate(signature, certificate, trust, trust.Certificates) : "a signature has no certificate";
        }
        catch (Exception e) when (e is MalformedDataException or CryptographicException)
        {
            return e.Message;
        }
    }

    /// <summary>True if a key made the signature.</summary>
    public static bool IsSignedBy(CosignSignature signature, AsymmetricAlgorithm key) => key switch
    {
        // cosign signed by SHA-256 with every curve, and since version 3 by SHA-384 with P-384.
        ECDsa ec => ec.VerifyData(signature.SignedBytes, signature.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
            || (ec.KeySize == 384 && ec.VerifyData(signature.SignedBytes, signature.Signature, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence)),
        Ed25519PublicKey ed25519 => ed25519.Verify(signature.SignedBytes, signature.Signature),
        RSA rsa => rsa.VerifyData(signature.SignedBytes, signature.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => false,
    };

    private string? VerifyCertificate(CosignSignature signature, byte[] encoded, SigstoreTrust trust, CertificateTrust accepted)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(encoded);
        using var key = PublicKeyReader.Read(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        if (!IsSignedBy(signature, key))
            return "a signature is not by the certificate beside it";
        var (reason, logged) = CheckLogs(signature, encoded, trust);
        if (reason is not null)
            return reason;
        var (times, doubt) = accepted.IsTimeVouchedFor ? VouchedTimes(signature, logged, trust) : ([time.GetUtcNow()], null);
        if (times.Count == 0)
            return doubt ?? "neither a transparency log nor a timestamp authority vouches for the time of the signature";
        foreach (var when in times)
        {
            if (CheckAuthorities(certificate, signature.Chain, accepted, when) is { } refused)
                return refused;
        }

        return CheckIdentity(CertificateIdentity.Of(certificate), accepted);
    }

    // All times that somebody trusted vouches for: the certificate must have been valid at each.
    private static (IReadOnlyList<DateTimeOffset> Times, string? Doubt) VouchedTimes(CosignSignature signature, DateTimeOffset? logged, SigstoreTrust trust)
    {
        List<DateTimeOffset> times = logged is { } promised ? [promised] : [];
        string? doubt = null;
        foreach (var timestamp in trust.TimestampAuthorities.Count == 0 ? [] : signature.Timestamps)
        {
            var (reason, stamped) = TimestampVerifier.Verify(timestamp, signature.Signature, trust.TimestampAuthorities);
            doubt ??= reason;
            if (stamped is { } when)
                times.Add(when);
        }

        return (times, doubt);
    }

    private static string? CheckAuthorities(X509Certificate2 certificate, IReadOnlyList<byte[]> chain, CertificateTrust accepted, DateTimeOffset when)
    {
        var intermediates = chain.Select(X509CertificateLoader.LoadCertificate).ToList();
        string? reason = "there is no authority that is trusted";
        foreach (var authority in accepted.Authorities)
        {
            reason = authority.Verify(certificate, intermediates, when, out var issuer);
            if (reason is not null)
                continue;
            return accepted.CertificateLogs is null || CertificateTimestamps.Verify(certificate, issuer!, accepted.CertificateLogs)
                ? null
                : "no trusted certificate log has made the certificate public";
        }

        return reason;
    }

    private static string? CheckIdentity(CertificateIdentity identity, CertificateTrust accepted)
    {
        if (accepted.Email is null && accepted.Host is null && accepted.Subject is null)
            return "the policy names nobody";
        if (accepted.OidcIssuer is { } issuer && identity.Issuer != issuer)
            return $"the signer was vouched for by '{identity.Issuer}', not by '{issuer}'";
        if (accepted.Email is { } email && !identity.Emails.Contains(email, StringComparer.Ordinal))
            return $"the signer is {Names(identity)}, not {email}";
        if (accepted.Host is { } host && !identity.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase))
            return $"the signer is {Names(identity)}, not {host}";
        return accepted.Subject is { } subject && !identity.Has(subject) ? $"the signer is {Names(identity)}, not {subject}" : null;
    }

    // One entry of a trusted log about this very signature is enough; entries of others say nothing.
    private static (string? Reason, DateTimeOffset? Time) CheckLogs(CosignSignature signature, byte[] signer, SigstoreTrust trust)
    {
        if (trust.Logs.Count == 0)
            return (trust.IsLogRequired ? "there is no transparency log that is trusted" : null, null);
        string? reason = "no transparency log has the signature";
        foreach (var entry in signature.LogEntries)
        {
            var (refused, logged) = LogEntryVerifier.Verify(entry, trust.Logs);
            reason = refused ?? LogEntryBody.Compare(entry.Body, signature, signer);
            if (reason is null)
                return (null, logged);
        }

        return (trust.IsLogRequired ? reason : null, null);
    }

    private static string Names(CertificateIdentity identity) => string.Join(" ", identity.Emails.Concat(identity.Uris).Concat(identity.Hosts).Concat(identity.Others).DefaultIfEmpty("(nobody)"));
}
