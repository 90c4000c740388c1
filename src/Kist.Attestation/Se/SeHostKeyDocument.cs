using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Se;

/// <summary>
/// Judges an IBM Secure Execution host key document: the certificate of a machine's key, signed by IBM's signing key, which a
/// public authority certifies (IBM, "Verifying the host key document").
/// </summary>
public static class SeHostKeyDocument
{
    private const string Spec = "IBM Z Secure Execution, verifying the host key document";
    private const string Organization = "O=International Business Machines Corporation";
    private const string Unit = "Key Signing Service";

    /// <summary>Judges a document. Revocation lists of every issuer must be given: a missing one is a refusal.</summary>
    /// <param name="document">The host key document, PEM or DER.</param>
    /// <param name="authorities">IBM's signing certificate first, then those above it, up to a root pinned for vendor "ibm".</param>
    /// <param name="revocationLists">Revocation lists of IBM's signing key and of the authorities.</param>
    /// <param name="options">Time and anchors.</param>
    /// <exception cref="MalformedDataException">Something is neither PEM nor DER of its kind.</exception>
    public static Verdict Verify(
        ReadOnlyMemory<byte> document, ReadOnlyMemory<byte> authorities, IEnumerable<ReadOnlyMemory<byte>> revocationLists, VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var verdict = new VerdictBuilder("se", options.Time);
        var host = PemReader.ReadCertificates(document)[0];
        var chain = PemReader.ReadCertificates(authorities);
        var lists = revocationLists.Select(l => CertificateRevocationList.Parse(l)).ToList();
        CheckDocument(host, chain[0], options.Time, verdict);
        CheckSigner(chain[0], verdict);
        var path = EndEntityPath.From(chain[0], chain);
        ChainVerifier.Verify(verdict, "se.host_key.chain", path, "ibm", options);
        RevocationVerifier.Verify(verdict, "se.host_key.chain.revocation", path, lists, options.Time);
        CheckRevocation(host, chain[0], lists, options.Time, verdict);
        return verdict.Build();
    }

    private static void CheckDocument(Certificate host, Certificate signer, DateTimeOffset time, VerdictBuilder verdict)
    {
        var named = SameName(host.Issuer.Span, signer.Subject.Span);
        verdict.Check("se.host_key.issuer", named, "IBM's signing key must be the one that the document names", host.IssuerName, signer.SubjectName,
            "use the signing certificate that belongs to the document", Spec);
        var signed = host.IsSignedBy(signer);
        verdict.Check("se.host_key.signature", signed, "the document must be signed with IBM's signing key", "a signature by IBM's key",
            signed ? "verifies" : "does not verify", "fetch the host key document again from IBM", Spec);
        verdict.Check("se.host_key.validity", time >= host.NotBefore && time <= host.NotAfter, "the document must be valid at the time of judgement",
            Timestamp.Format(time), $"{Timestamp.Format(host.NotBefore)} to {Timestamp.Format(host.NotAfter)}", "fetch a current host key document from IBM", Spec);
    }

    // IBM's signing key signs its list although its certificate does not say so (no cRLSign): it is for code signing by its name.
    private static void CheckRevocation(
        Certificate host, Certificate signer, List<CertificateRevocationList> lists, DateTimeOffset time, VerdictBuilder verdict)
    {
        const string id = "se.host_key.revocation";
        const string remedy = "fetch IBM's current revocation list, and do not use a host whose key is on it";
        var signed = lists.Where(l => l.Issuer.Span.SequenceEqual(signer.Subject.Span) && l.UnknownCriticalExtension is null && l.IsSignedBy(signer)).ToList();
        if (signed.Exists(l => l.IsRevoked(host.SerialNumber.Span)))
        {
            verdict.Fail(id, "IBM has revoked this host key", "not revoked", $"serial {Convert.ToHexStringLower(host.SerialNumber.Span)} is revoked", remedy, Spec);
            return;
        }

        var current = signed.Find(l => l.ThisUpdate <= time && time <= l.NextUpdate);
        verdict.Check(id, current is not null, "IBM's current revocation list must not name the host key", $"a list of {signer.SubjectName} valid at {Timestamp.Format(time)}",
            current is not null ? "not revoked" : signed.Count == 0 ? "no such list with a right signature" : "only lists of other times", remedy, Spec);
    }

    private static void CheckSigner(Certificate signer, VerdictBuilder verdict)
    {
        // The signing certificate is an end entity of a public authority: what makes it IBM's is its name alone.
        var parts = signer.SubjectName.Split(", ");
        var holds = parts.Contains(Organization) && parts.Contains("C=US") && parts.Contains("ST=New York")
            && parts.Any(p => p is "L=Poughkeepsie" or "L=Armonk")
            && parts.Any(p => p.StartsWith("OU=", StringComparison.Ordinal) && p.EndsWith(Unit, StringComparison.Ordinal));
        verdict.Check("se.host_key.signer", holds, "the signing certificate must be that of IBM's key signing service",
            $"{Organization}, OU=… {Unit}", signer.SubjectName, "use IBM's own signing certificate", Spec);
    }

    // IBM moved the signing key's seat from Poughkeepsie to Armonk; older documents keep the former as their issuer.
    private static bool SameName(ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> subject) => issuer.SequenceEqual(subject)
        || DistinguishedName.Format(issuer) == DistinguishedName.Format(subject).Replace("L=Armonk", "L=Poughkeepsie", StringComparison.Ordinal);
}
