namespace Kist.Attestation.X509;

/// <summary>
/// Checks a certificate path up to a pinned key (RFC 5280 §6.1, without policies and name constraints, which no TEE
/// vendor's chain uses: a critical extension of that kind is refused). All checks are done and reported.
/// </summary>
internal static class ChainVerifier
{
    /// <summary>Adds findings under <paramref name="prefix"/>, and returns the anchor if every one of them passed.</summary>
    /// <param name="verdict">Where findings go; it is marked as simulated if the anchor is.</param>
    /// <param name="prefix">Code of the chain, such as "tdx.pck".</param>
    /// <param name="path">The path.</param>
    /// <param name="vendor">Whose roots may end it.</param>
    /// <param name="options">Anchors and time.</param>
    public static TrustAnchor? Verify(
        VerdictBuilder verdict, string prefix, CertificatePath path, string vendor, VerificationOptions options)
    {
        var (anchor, length) = FindAnchor(path, vendor, options.Anchors);
        var signed = CheckSignatures(verdict, prefix, path, length);
        var valid = CheckValidity(verdict, prefix, path, length, options.Time);
        var constrained = CheckConstraints(verdict, prefix, path, length);
        var anchored = CheckAnchor(verdict, prefix, path, anchor, vendor, options.Anchors);
        if (anchor is { IsSimulated: true })
            verdict.IsSimulated = true;
        return signed && valid && constrained && anchored ? anchor : null;
    }

    /// <summary>The first authority whose key is pinned, and how much of the path leads to it.</summary>
    private static (TrustAnchor? Anchor, int Length) FindAnchor(CertificatePath path, string vendor, TrustAnchorSet anchors)
    {
        Span<byte> hash = stackalloc byte[32];
        for (var i = 0; i < path.Certificates.Count; i++)
        {
            System.Security.Cryptography.SHA256.HashData(path.Certificates[i].SubjectPublicKeyInfo.Span, hash);
            if (anchors.Find(vendor, hash) is { } anchor)
                return (anchor, i + 1);
        }

        return (null, path.Certificates.Count);
    }

    private static bool CheckSignatures(VerdictBuilder verdict, string prefix, CertificatePath path, int length)
    {
        for (var i = 0; i < length; i++)
        {
            var certificate = path.Certificates[i];
            var issuer = certificate.IsSelfIssued ? certificate : i + 1 < path.Certificates.Count ? path.Certificates[i + 1] : null;
            if (issuer is not null && certificate.IsSignedBy(issuer))
                continue;
            var reason = issuer is null ? "the issuer's certificate is missing"
                : issuer.Key is null ? "the issuer's public key is invalid or of an unsupported kind"
                : certificate.Scheme == SignatureScheme.Unsupported ? "the signature algorithm is not supported"
                : "the signature does not fit the issuer's key";
            verdict.Fail(
                $"{prefix}.signatures", $"a certificate is not signed by its issuer: {reason}",
                $"{certificate.SubjectName} signed by {certificate.IssuerName}", reason,
                "get the certificate chain again from the platform; if it stays so, it was tampered with",
                "RFC 5280 §6.1.3 (a)(1)");
            return false;
        }

        verdict.Pass(
            $"{prefix}.signatures",
            path.WasSorted
                ? "each certificate is signed by the next (the chain came in another order and was sorted)"
                : "each certificate is signed by the next",
            actual: string.Join(" < ", path.Certificates.Take(length).Select(c => DistinguishedName.CommonName(c.Subject.Span))),
            spec: "RFC 5280 §6.1.3 (a)(1)");
        return true;
    }

    private static bool CheckValidity(VerdictBuilder verdict, string prefix, CertificatePath path, int length, DateTimeOffset time)
    {
        foreach (var certificate in path.Certificates.Take(length))
        {
            if (time >= certificate.NotBefore && time <= certificate.NotAfter)
                continue;
            verdict.Fail(
                $"{prefix}.validity",
                time < certificate.NotBefore ? "a certificate was not valid yet" : "a certificate had expired",
                $"valid at {Timestamp.Format(time)}",
                $"{certificate.SubjectName}: {Timestamp.Format(certificate.NotBefore)} to {Timestamp.Format(certificate.NotAfter)}",
                time < certificate.NotBefore
                    ? "judge as of a later time (--at), or use the certificates and collateral of that time"
                    : "renew the certificate at its issuer, or judge old evidence as of its own time (--at)",
                "RFC 5280 §6.1.3 (a)(2)");
            return false;
        }

        verdict.Pass(
            $"{prefix}.validity", "every certificate was valid at that time",
            actual: $"until {Timestamp.FormatDate(path.Certificates.Take(length).Min(c => c.NotAfter))}",
            spec: "RFC 5280 §6.1.3 (a)(2)");
        return true;
    }

    private static bool CheckConstraints(VerdictBuilder verdict, string prefix, CertificatePath path, int length)
    {
        for (var i = 0; i < length; i++)
        {
            if (ConstraintViolated(path, i) is not { } reason)
                continue;
            verdict.Fail(
                $"{prefix}.constraints", "a certificate is used for what it was not issued for",
                "authorities that may sign certificates, within their path length", $"{path.Certificates[i].SubjectName}: {reason}",
                "get the certificate chain again from the platform; if it stays so, it was tampered with",
                "RFC 5280 §6.1.4 (k)-(o)");
            return false;
        }

        verdict.Pass($"{prefix}.constraints", "every issuer is an authority within its limits", spec: "RFC 5280 §6.1.4 (k)-(o)");
        return true;
    }

    private static string? ConstraintViolated(CertificatePath path, int index)
    {
        var certificate = path.Certificates[index];
        if (certificate.UnknownCriticalExtension is { } unknown)
            return $"the critical extension {unknown} is not known";
        if (index == 0)
            return null;
        if (certificate.Version != 3 || !certificate.IsCa)
            return "it is no certificate authority";
        if (certificate.KeyUsage is { } usage && (usage & KeyUsages.KeyCertSign) == 0)
            return "its key may not sign certificates";
        var authoritiesBelow = path.Certificates.Take(index).Skip(1).Count(c => !c.IsSelfIssued);
        return certificate.PathLength < authoritiesBelow
            ? $"its path length is {certificate.PathLength}, but {authoritiesBelow} authorities follow"
            : null;
    }

    private static bool CheckAnchor(
        VerdictBuilder verdict, string prefix, CertificatePath path, TrustAnchor? anchor, string vendor, TrustAnchorSet anchors)
    {
        if (anchor is not null)
        {
            verdict.Pass(
                $"{prefix}.anchor",
                anchor.IsSimulated ? "the chain ends at a SIMULATION's root" : "the chain ends at a root pinned by its key",
                actual: $"{anchor.Name}, {anchor.Source}");
            return true;
        }

        var known = string.Join(" or ", anchors.Anchors.Where(a => a.Vendor == vendor).Select(a => $"{a.Name} {Convert.ToHexStringLower(a.SpkiSha256.AsSpan())}"));
        var actual = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(path.Last.SubjectPublicKeyInfo.Span));
        verdict.Fail(
            $"{prefix}.anchor",
            path.Last.IsSelfIssued
                ? "the chain ends at a root that is not trusted; its name proves nothing, its key counts"
                : "the chain breaks off before any trusted root",
            known.Length == 0 ? $"a trusted root of {vendor}, and none is configured" : known,
            $"{path.Last.SubjectName} {actual}",
            path.Last.IsSelfIssued
                ? "this is a pre-production, test or simulated platform, or a forgery: use production hardware, or name the root with --trust-anchor in a test set-up"
                : $"provide the missing certificates of {path.Last.IssuerName}");
        return false;
    }
}
