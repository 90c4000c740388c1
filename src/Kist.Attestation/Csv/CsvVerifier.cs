using System.Security.Cryptography;
using Kist.Attestation.Sev;

namespace Kist.Attestation.Csv;

/// <summary>Judges a Hygon CSV report: HRK signs HSK signs CEK signs PEK, which signs the report; SM2 with SM3 throughout.</summary>
internal static class CsvVerifier
{
    public const string Spec = "Hygon CSV API; hygon csv-rs";

    // Hygon's root key as published at https://cert.hygon.cn/hrk (coordinates, most significant byte first).
    private static readonly Sm2Key Root = Sm2Key.FromBigEndian(
        Convert.FromHexString("be62e14d62a4f14cf3d702db09563a75c80935e785cd1f502af5f21d92c2f62d"),
        Convert.FromHexString("3bab123a57bb7015584f8b97164e95384a640c10b9be884738744d68b41eb946"),
        "HYGON-SSD-HRK"u8) ?? throw new InvalidOperationException("Hygon's root key is not on the curve");

    public static void Verify(CsvEvidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        var report = evidence.Report;
        verdict.Claims = new CsvClaims(report);
        verdict.IsDebug |= report.IsDebugAllowed;
        CheckChain(evidence, options, verdict);
        if (report.IsSignerIntact is { } intact)
        {
            verdict.Check("csv.report.signer", intact, "certificate and serial number in the report must be as the firmware wrote them",
                "HMAC-SM3 under MNONCE", intact ? "right" : "wrong", "the report was changed: collect it again", Spec);
        }
        else
        {
            verdict.NotChecked("csv.report.signer", "the guest has already unmasked certificate and serial number, so their HMAC cannot be computed", null, Spec);
        }

        var holds = report.Pek.Usage == SevKeyUsage.Pek && report.Pek.Key is { } key && key.Verify(report.Signed.Span, report.Signature.Span);
        verdict.Check("csv.report.signature", holds, "the report must be signed with the platform's key (PEK)", "an SM2 signature by the PEK",
            holds ? "verifies" : "does not verify", "the report was changed: collect it again", Spec);
        if (evidence.HasEventLog)
            verdict.NotChecked("csv.eventlog", "the event log is not replayed: its registers are SM3", null, Spec);
        CheckChip(report, options, verdict);
        BindingCheck.ReportData(verdict, binding.ReportData, report.ReportData.Span);
        if (binding.InitDataDigest is not null)
        {
            verdict.Fail("csv.binding.init_data", "no field of a CSV report binds init-data", "no announced init-data", "announced",
                "do not announce init-data on CSV", Spec);
        }
    }

    private static void CheckChain(CsvEvidence evidence, VerificationOptions options, VerdictBuilder verdict)
    {
        if (evidence is not { Hsk: { } hsk, Cek: { } cek })
        {
            verdict.Fail("csv.chain.certificates", "Hygon's certificates of this chip (HSK, CEK) are not at hand, so nothing vouches for the platform's key",
                "hsk_cek in the evidence, beside it, or in the collateral", $"none for chip {evidence.Report.SerialNumber}",
                $"fetch https://cert.hygon.cn/hsk_cek?snumber={evidence.Report.SerialNumber} and give it as collateral", Spec);
            return;
        }

        Link(verdict, "csv.chain.hsk", hsk.Usage == SevKeyUsage.Ask && hsk.IsSignedBy(SevKeyUsage.Ark, Root), "Hygon's root must sign Hygon's key (HSK)");
        Link(verdict, "csv.chain.cek", cek.Usage == SevKeyUsage.Cek && cek.IsSignedBy(SevKeyUsage.Ask, hsk.Key), "Hygon's key must sign the chip's key (CEK)");
        Link(verdict, "csv.chain.pek", evidence.Report.Pek.IsSignedBy(SevKeyUsage.Cek, cek.Key), "the chip's key must sign the platform's key (PEK)");
        var anchor = options.Anchors.Find("hygon", SHA256.HashData(Root.SubjectPublicKeyInfo));
        verdict.Check("csv.chain.anchor", anchor is not null, "Hygon's root key must be pinned", "a trust anchor of vendor hygon",
            anchor?.Name ?? "not pinned", "add Hygon's root key to the trust anchors, if Hygon is to be trusted", Spec);
    }

    private static void CheckChip(CsvReport report, VerificationOptions options, VerdictBuilder verdict)
    {
        if (options.Tcb.AllowedChips is { } chips)
        {
            verdict.Check("csv.chip.allowed", chips.Contains(report.SerialNumber), "the chip must be one of those allowed",
                $"one of {chips.Count} allowed chips", report.SerialNumber, "run the guest on an allowed machine, or add this serial number to the list");
        }
    }

    private static void Link(VerdictBuilder verdict, string id, bool holds, string why) => verdict.Check(id, holds, why, "signature verifies",
        holds ? "verifies" : "does not verify", "fetch HSK and CEK of this very chip; if it stays so, the chain was tampered with", Spec);
}
