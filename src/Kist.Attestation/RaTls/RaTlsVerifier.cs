using System.Security.Cryptography;
using Kist.Attestation.Dcap;
using Kist.Formats;

namespace Kist.Attestation.RaTls;

/// <summary>
/// Judges evidence by which the holder of a key proves to be a TEE, in a certificate (RA-TLS) or in answer to a challenge. The
/// quote is judged as any other; besides, it must speak for that key. No authority is asked: a certificate counts by its evidence.
/// </summary>
public static class RaTlsVerifier
{
    private const string Spec = "Interoperable RA-TLS, X.509 cert and evidence formats";

    /// <summary>Judges a certificate. That the peer holds its key is for the TLS handshake to show.</summary>
    /// <param name="evidence">The certificate, read.</param>
    /// <param name="nonce">The nonce that its evidence must answer; null if it was made for nobody in particular.</param>
    /// <param name="options">How to judge.</param>
    /// <param name="useEndorsements">
    /// True to judge by the collateral in the certificate where <paramref name="options"/> has none for this platform. Whoever
    /// sends it chooses which of those that are still in force it is.
    /// </param>
    /// <param name="maximumLifetime">
    /// The longest time for which a certificate may be valid: evidence without a nonce may be as old as that. Null: any.
    /// </param>
    public static Verdict Verify(
        RaTlsEvidence evidence, ReadOnlyMemory<byte>? nonce, VerificationOptions options, bool useEndorsements, TimeSpan? maximumLifetime = null)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(options);
        if (evidence.ExpectedReportData() is not { } reportData)
            return Refuse(evidence, options);
        var quote = new Evidence { Tee = evidence.Tee, Bytes = evidence.Quote };
        var endorsed = useEndorsements ? Endorsed(evidence, quote, options) : null;
        return EvidenceVerifier.Verify(
            quote, new ExpectedBinding(reportData, null), endorsed is null ? options : options with { Collateral = endorsed },
            verdict =>
            {
                CheckCertificate(verdict, evidence, options.Time);
                CheckClaims(verdict, evidence.Claims, evidence.SubjectPublicKeyInfo.Span, nonce);
                if (maximumLifetime is { } maximum && nonce is null)
                    CheckLifetime(verdict, evidence, maximum);
                if (endorsed is not null)
                    verdict.Pass("ratls.endorsements", "the vendor's statements came with the certificate; they are verified like all others", spec: Spec);
            });
    }

    /// <summary>Judges the answer to a challenge.</summary>
    /// <param name="evidence">The answer.</param>
    /// <param name="subjectPublicKeyInfo">The key that the peer uses, DER.</param>
    /// <param name="nonce">The nonce that was sent; null if the evidence was made without one.</param>
    /// <param name="options">How to judge.</param>
    public static Verdict Verify(DiceEvidence evidence, ReadOnlyMemory<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce, VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(options);
        return EvidenceVerifier.Verify(
            new Evidence { Tee = evidence.Tee, Bytes = evidence.Quote }, new ExpectedBinding(evidence.Claims.Digest(), null), options,
            verdict => CheckClaims(verdict, evidence.Claims, subjectPublicKeyInfo.Span, nonce));
    }

    private static Verdict Refuse(RaTlsEvidence evidence, VerificationOptions options)
    {
        var verdict = new VerdictBuilder(evidence.Tee, options.Time);
        CheckCertificate(verdict, evidence, options.Time);
        var (why, remedy) = evidence.Form switch
        {
            RaTlsForm.Epid => ("the certificate carries EPID evidence, and Intel has shut down the service that alone could check it", "use DCAP quotes"),
            RaTlsForm.LocalReport => ("the certificate carries a local report, which only the same machine can check", "use a quote"),
            _ => ("how this form binds the certificate's key is not known here", "use the DICE form, which Gramine, RATS-TLS and Intel's SDK write"),
        };
        verdict.Fail("ratls.form", why, "DICE tagged evidence, or a quote over the key's digest", evidence.Form.ToString(), remedy, Spec);
        return verdict.Build();
    }

    private static void CheckCertificate(VerdictBuilder verdict, RaTlsEvidence evidence, DateTimeOffset time)
    {
        var certificate = evidence.Certificate;
        verdict.Check(
            "ratls.certificate.validity", certificate.NotBefore <= time && time <= certificate.NotAfter, "the certificate is valid now",
            $"{time:O}", $"{certificate.NotBefore:O} to {certificate.NotAfter:O}", "the enclave must prove itself anew, or a clock is wrong",
            failure: "the certificate is not valid now: its evidence is stale");
        if (!certificate.IsSelfIssued)
            verdict.NotChecked("ratls.certificate.signature", "an authority issued the certificate; who that is does not count here");
        else
            verdict.CheckSignature(
                "ratls.certificate.signature", certificate.IsSignedBy(certificate), "the key in the enclave signed the certificate, with its dates",
                "the certificate's own key did not sign it: somebody changed it", "get the certificate anew", "RFC 5280 section 4.1.1.3");
    }

    private static void CheckLifetime(VerdictBuilder verdict, RaTlsEvidence evidence, TimeSpan maximum) => verdict.Check(
        "ratls.certificate.lifetime", evidence.Certificate.IsSelfIssued && evidence.NotAfter - evidence.NotBefore <= maximum, "the certificate lives so shortly that its evidence is recent",
        $"at most {maximum}, by the key's own word", evidence.Certificate.IsSelfIssued ? $"{evidence.NotAfter - evidence.NotBefore}" : "an authority's word", "issue certificates for a shorter time, or have the peer answer a challenge",
        failure: "the certificate lives so long, or others say how long, that its evidence may be stale");

    private static void CheckClaims(VerdictBuilder verdict, DiceClaims? claims, ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce)
    {
        if (claims is not null)
        {
            verdict.Check(
                "ratls.key", claims.IsFor(subjectPublicKeyInfo), "the evidence was made for the peer's key",
                Convert.ToHexStringLower(CryptographicOperations.HashData(claims.KeyHashAlgorithm, subjectPublicKeyInfo)), Convert.ToHexStringLower(claims.KeyHash.Span),
                "whoever presents it relays somebody else's evidence", Spec, "the evidence is for another key than the peer's");
        }

        if (nonce is not { } sent)
            return;
        var answered = claims?.Nonce;
        var holds = answered is { } value && CryptographicOperations.FixedTimeEquals(sent.Span, value.Span);
        verdict.Check(
            "ratls.nonce", holds, "the evidence answers this challenge: it was made now", Convert.ToHexStringLower(sent.Span),
            answered is { } found ? Convert.ToHexStringLower(found.Span) : null, "ask again; evidence of an earlier challenge proves nothing about now", Spec,
            answered is null ? "the evidence has no nonce: it was not made for this challenge" : "the evidence answers another challenge");
    }

    /// <summary>The collateral of the certificate, where the verifier has none of its own; null if it is not needed or of no use.</summary>
    private static LayeredCollateral? Endorsed(RaTlsEvidence evidence, Evidence quote, VerificationOptions options)
    {
        if (evidence.Endorsements is not { } endorsements || DcapCollateralNeeds.KeyOf(quote) is not { } key || options.Collateral.FindDcap(key) is not null)
            return null;
        var store = new CollateralStore();
        store.Add(key, endorsements);
        return new LayeredCollateral(options.Collateral, store);
    }
}
