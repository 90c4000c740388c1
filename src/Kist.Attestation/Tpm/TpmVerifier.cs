using System.Security.Cryptography;
using Kist.Attestation.X509;

namespace Kist.Attestation.Tpm;

/// <summary>Judges a quote of a TPM that stands on its own: its attestation key must be trusted by itself or by certificate.</summary>
internal static class TpmVerifier
{
    public static void Verify(TpmEvidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        CheckKey(evidence, options, verdict);
        if (evidence.IsAttestationKey is { } isAttestationKey)
        {
            verdict.Check("tpm.ak.attributes", isAttestationKey, "the key must sign only what the TPM itself made",
                "fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign", isAttestationKey ? "all set" : "not all set",
                "use an attestation key: any other key would sign a quote that software wrote", "TPM 2.0 Library part 1 section 23.5");
        }

        TpmQuoteCheck.Signature(
            evidence.Quote, evidence.Signature, evidence.AttestationKey.IsEmpty ? null : PublicKey.Parse(evidence.AttestationKey.Span), verdict);
        var pcrs = TpmQuoteCheck.Pcrs(evidence.Quote, evidence.Signature.Hash, evidence.Pcrs, verdict);
        verdict.Claims = new TpmClaims
        {
            Quote = evidence.Quote,
            AttestationKey = evidence.AttestationKey,
            Pcrs = pcrs,
            EventLog = TpmEventLogCheck.Run(evidence.EventLog, evidence.Quote, pcrs, verdict),
        };
        TpmQuoteCheck.ReportData(evidence.Quote, binding, verdict);
        TpmQuoteCheck.InitData(pcrs, binding, verdict);
    }

    private static void CheckKey(TpmEvidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        var key = evidence.AttestationKey.Span;
        const string id = "tpm.ak.anchor";
        if (key.IsEmpty)
        {
            verdict.Fail(id, "the quote comes without its attestation key", "the key or its certificate beside the quote", "none",
                "give the key (PEM public key, or certificates) with --certificates", TpmQuoteCheck.Spec);
            return;
        }

        var hash = SHA256.HashData(key);
        if (options.Anchors.Find("tpm", hash) is { } anchor)
        {
            verdict.IsSimulated |= anchor.IsSimulated;
            verdict.Pass(id, "the attestation key is pinned", null, anchor.Name, TpmQuoteCheck.Spec);
        }
        else if (FindCertificate(evidence) is { } certificate)
        {
            ChainVerifier.Verify(verdict, "tpm.ak", EndEntityPath.From(certificate, evidence.Certificates), "tpm", options);
        }
        else if (options.References.Any(r => r.Claim == "ak_public") || options.Tpm.AllowUnanchoredKey)
        {
            verdict.NotChecked(id, "the attestation key is neither pinned nor certified; whoever reads the claims must judge ak_public",
                null, TpmQuoteCheck.Spec);
        }
        else
        {
            verdict.Fail(id, "any program can make a key, so the attestation key must be pinned or certified",
                "a trust anchor of vendor tpm, a certificate below one, or a reference value of ak_public",
                $"key SHA-256 {Convert.ToHexStringLower(hash)}",
                "pin the key after enrolling the TPM, or send its certificate", "TPM 2.0 Library part 1 section 9.5.3");
        }
    }

    private static Certificate? FindCertificate(TpmEvidence evidence) => evidence.Certificates.FirstOrDefault(
        c => c.SubjectPublicKeyInfo.Span.SequenceEqual(evidence.AttestationKey.Span));
}
