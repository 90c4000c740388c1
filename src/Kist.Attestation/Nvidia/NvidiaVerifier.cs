using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Attestation.X509;

namespace Kist.Attestation.Nvidia;

/// <summary>Judges reports of NVIDIA GPUs and switches. Findings of several devices bear the same codes, and name the device.</summary>
internal static class NvidiaVerifier
{
    public const string Spec = "DMTF DSP0274 (SPDM) 1.1 section 10.11";
    private const int NonceSize = 32;

    public static void Verify(
        IReadOnlyList<NvidiaEvidence> devices, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var parsed = devices.Select(d => new NvidiaDevice(d.Architecture, d.Uuid, NvidiaReportReader.Parse(d.Report.Span))).ToImmutableArray();
        verdict.Claims = new NvidiaClaims(parsed);
        for (var i = 0; i < parsed.Length; i++)
            VerifyDevice($"device {i}", parsed[i].Report, devices[i], binding, options, verdict);
        if (binding.InitDataDigest is not null)
            verdict.NotChecked("nvidia.binding.init_data", "a device does not know how its guest was started; the guest's own evidence binds init-data");
        RimCheck.Run(parsed, options, verdict);
    }

    private static void VerifyDevice(
        string device, NvidiaReport report, NvidiaEvidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        if (evidence.Certificates.IsEmpty)
        {
            verdict.Fail("nvidia.chain.anchor", $"{device} brings no certificates", "a chain to NVIDIA's device identity root", "none",
                "give the device's certificate chain beside its report", Spec);
            return;
        }

        // The chain comes leaf first; the leaf is the device firmware's own key.
        var certificates = CertificateCache.Read(evidence.Certificates);
        var path = EndEntityPath.From(certificates[0], certificates);
        ChainVerifier.Verify(verdict, "nvidia.chain", path, "nvidia", options);
        verdict.NotChecked("nvidia.chain.revocation", "NVIDIA publishes revocation by OCSP only, which needs the network", null, Spec);
        CheckSignature(device, report, path.Leaf, verdict);
        CheckFirmware(device, report, path.Leaf, verdict);
        var expected = binding.ReportData is { Length: > NonceSize } digest ? digest[..NonceSize] : binding.ReportData;
        BindingCheck.ReportData(verdict, expected, report.RequestNonce.Span);
    }

    private static void CheckSignature(string device, NvidiaReport report, Certificate leaf, VerdictBuilder verdict)
    {
        var hash = SHA384.HashData(report.SignedBytes.Span);
        var holds = leaf.Key is { Size: 48 } key && key.VerifyEcdsaHash(hash, report.Signature.Span);
        verdict.Check("nvidia.report.signature", holds, $"{device}: request and response must be signed with the device's key",
            $"a signature by {DistinguishedName.CommonName(leaf.Subject.Span)}", holds ? "verifies" : "does not verify",
            "the report was changed, or the certificates are of another device: collect both again", Spec);
    }

    private static void CheckFirmware(string device, NvidiaReport report, Certificate leaf, VerdictBuilder verdict)
    {
        const string id = "nvidia.report.firmware";
        var certified = DiceFwid.Find(leaf);
        if (report.Fwid is not { } reported)
        {
            verdict.NotChecked(id, $"{device}: the report names no firmware digest (FWID) to compare with the certificate's", null, "TCG DICE attestation architecture section 6.1");
            return;
        }

        verdict.Check(id, certified.Any(c => c.Span.SequenceEqual(reported.Span)),
            $"{device}: the signing key must be of the very firmware that the report names",
            certified.Count > 0 ? string.Join(" or ", certified.Select(c => Convert.ToHexStringLower(c.Span))) : "a firmware digest (FWID) in the certificate",
            Convert.ToHexStringLower(reported.Span), "collect report and certificates again from the same device",
            "TCG DICE attestation architecture section 6.1");
    }
}
