namespace Kist.Attestation.X509;

/// <summary>Checks the certificates of a path against the CRLs of their issuers (RFC 5280 §6.3.3, full and direct CRLs).</summary>
internal static class RevocationVerifier
{
    private const string Spec = "RFC 5280 §6.3.3";

    /// <summary>
    /// Adds one finding, and returns whether every certificate but the last is known not to be revoked.
    /// </summary>
    /// <param name="verdict">Where the finding goes.</param>
    /// <param name="id">Its code, such as "tdx.pck.revocation".</param>
    /// <param name="path">The path; the last certificate is the root.</param>
    /// <param name="crls">The CRLs that are known.</param>
    /// <param name="time">When they must be in force.</param>
    public static bool Verify(
        VerdictBuilder verdict, string id, CertificatePath path, IReadOnlyList<CertificateRevocationList> crls, DateTimeOffset time)
    {
        for (var i = 0; i + 1 < path.Certificates.Count; i++)
        {
            var (why, actual, remedy) = Check(path.Certificates[i], path.Certificates[i + 1], crls, time);
            if (why is null)
                continue;
            verdict.Fail(id, why, "a current CRL of each issuer, without these certificates", actual, remedy, Spec);
            return false;
        }

        verdict.Pass(
            id, "no certificate is on its issuer's current CRL",
            actual: string.Join(", ", crls.Select(c => $"{DistinguishedName.CommonName(c.Issuer.Span)} ({c.Count} revoked)")), spec: Spec);
        return true;
    }

    /// <summary>
    /// As <see cref="Verify"/>, for vendors whose lists are not all published in one place: certificates whose issuer's list was
    /// not given are named in the finding, and do not make it fail.
    /// </summary>
    public static void VerifyKnown(
        VerdictBuilder verdict, string id, CertificatePath path, IReadOnlyList<CertificateRevocationList> crls, DateTimeOffset time)
    {
        var unknown = new List<string>();
        var looked = 0;
        for (var i = 0; i + 1 < path.Certificates.Count; i++)
        {
            if (!crls.Any(c => c.Issuer.Span.SequenceEqual(path.Certificates[i].Issuer.Span)))
            {
                unknown.Add(path.Certificates[i].IssuerName);
                continue;
            }

            looked++;
            var (why, actual, remedy) = Check(path.Certificates[i], path.Certificates[i + 1], crls, time);
            if (why is null)
                continue;
            verdict.Fail(id, why, "the issuer's current CRL, without this certificate", actual, remedy, Spec);
            return;
        }

        if (looked == 0)
            verdict.NotChecked(id, "the lists that were given are of other authorities", null, Spec);
        else
            verdict.Pass(id, "no certificate is on its issuer's current CRL, as far as lists were given",
                actual: unknown.Count == 0 ? "all looked up" : $"no list of {string.Join("; ", unknown)}", spec: Spec);
    }

    private static (string? Why, string? Actual, string? Remedy) Check(
        Certificate certificate, Certificate issuer, IReadOnlyList<CertificateRevocationList> crls, DateTimeOffset time)
    {
        var named = crls.Where(c => c.Issuer.Span.SequenceEqual(certificate.Issuer.Span)).ToList();
        const string Fetch = "fetch the CRL again from the vendor and add it to the collateral";
        if (named.Count == 0)
            return ("it is unknown whether a certificate was revoked", $"no CRL of {certificate.IssuerName}", Fetch);
        var signed = issuer.KeyUsage is { } usage && (usage & KeyUsages.CrlSign) == 0
            ? []
            : named.Where(c => c.IsSignedBy(issuer)).ToList();
        if (signed.Count == 0)
            return ("a CRL is not signed by its issuer", named[0].IssuerName, Fetch);

        // Whatever its age: a serial number never leaves a CRL before the certificate expires.
        if (signed.Any(c => c.IsRevoked(certificate.SerialNumber.Span)))
        {
            return ("a certificate was revoked by its issuer",
                $"{certificate.SubjectName}, serial {Convert.ToHexStringLower(certificate.SerialNumber.Span)}",
                "do not use this platform: its keys are known to be compromised, or it was withdrawn");
        }

        if (signed.FirstOrDefault(c => c.UnknownCriticalExtension is not null) is { } partial)
            return ("a CRL is of a kind that is not supported", $"critical extension {partial.UnknownCriticalExtension}", Fetch);
        var current = signed.FirstOrDefault(c => c.ThisUpdate <= time && c.NextUpdate is { } next && time <= next);
        if (current is not null)
            return default;
        var stale = signed.MaxBy(c => c.NextUpdate)!;
        return (stale.ThisUpdate > time ? "a CRL was not in force yet" : "a CRL had expired",
            $"{stale.IssuerName}: {Timestamp.Format(stale.ThisUpdate)} to {(stale.NextUpdate is { } n ? Timestamp.Format(n) : "(no next update)")}",
            stale.ThisUpdate > time ? "judge as of a time at which the CRL is in force (--at), or give the CRL of that time"
                : "fetch the CRL again from the vendor and add it to the collateral, or judge old evidence as of its own time (--at)");
    }
}
