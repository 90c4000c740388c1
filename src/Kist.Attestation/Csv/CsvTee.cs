using System.Text.Json;

namespace Kist.Attestation.Csv;

/// <summary>Hygon CSV in the table of TEEs.</summary>
internal sealed class CsvTee : ITeeVerifier
{
    public string Tee => "csv";

    public IEnumerable<FindingExplanation> Explanations =>
    [
        new("csv.chain", "the platform's key descends from Hygon's root",
            "HRK signs HSK signs the chip's key (CEK) signs the platform's key (PEK), with SM2 and SM3. HSK and CEK come from Hygon's "
            + "server by the chip's serial number.", CsvVerifier.Spec),
        new("csv.report.signer", "certificate and serial number in the report are as written", "HMAC-SM3 under the request's MNONCE.", CsvVerifier.Spec),
        new("csv.report.signature", "the platform's key signed the report", "SM2 over the report's fields as they lie there.", CsvVerifier.Spec),
        new("csv.eventlog", "the event log", "Registers of version 2 are SM3 and are not replayed here.", CsvVerifier.Spec),
        new("csv.chip.allowed", "the chip is on the list of allowed ones", "The TCB policy names chips by serial number."),
        new("csv.binding.report_data", "the report was made for this request", "REPORT_DATA holds the value, padded with zeros.", CsvVerifier.Spec),
        new("csv.binding.init_data", "no field binds init-data", "CSV reports have no field for it.", CsvVerifier.Spec),
        new("csv.debug", "the host cannot look into the guest", "POLICY does not set NODBG (bit 0).", CsvVerifier.Spec),
        new("csv.simulated", "the report is of real hardware", "The chain ends at the root of a simulated platform."),
    ];

    // The page has no magic number of its own.
    public bool RecognisesBytes(ReadOnlySpan<byte> data) => false;

    public bool RecognisesJson(JsonElement evidence) => evidence.ValueKind == JsonValueKind.Object
        && evidence.TryGetProperty("serial_number", out _) && evidence.TryGetProperty("attestation_report", out var report)
        && report.ValueKind == JsonValueKind.Object && report.TryGetProperty("magic", out _);

    public void Verify(Evidence evidence, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict) =>
        CsvVerifier.Verify(CsvEvidence.Read(evidence, options.Collateral), binding, options, verdict);

    public IEnumerable<EvidenceField> Inspect(Evidence evidence)
    {
        var report = CsvEvidence.Read(evidence, NoCollateral.Instance).Report;
        EvidenceField Hex(string path, int offset, ReadOnlyMemory<byte> value, string? meaning) =>
            new(path, offset, value.Length, Convert.ToHexStringLower(value.Span), meaning);
        yield return Hex("report.user_pubkey_digest", 0x000, report.UserPublicKeyDigest, "of the session's key");
        yield return Hex("report.vm_id", 0x020, report.VmId, "set by the owner");
        yield return Hex("report.vm_version", 0x030, report.VmVersion, "set by the owner");
        yield return Hex("report.report_data", 0x040, report.ReportData, "chosen by the guest");
        yield return Hex("report.mnonce", 0x080, report.Nonce, "of the request");
        yield return Hex("report.measure", 0x090, report.Measure, "launch digest");
        yield return new("report.policy", 0x0B0, 4, $"0x{report.Policy:x}", report.IsDebugAllowed ? "DEBUG ALLOWED" : "no debug");
        yield return new("report.sig_usage", 0x0B4, 4, $"0x{report.SignatureUsage:x}", "1002h is PEK");
        yield return new("report.sig_algo", 0x0B8, 4, $"0x{report.SignatureAlgorithm:x}");
        yield return new(report.Version == 1 ? "report.anonce" : "report.build", 0x0BC, 4, $"{(report.Version == 1 ? report.Anonce : report.Build)}");
        for (var i = 0; i < 5 && report.Version == 2; i++)
            yield return Hex($"report.rtmr{i}", 0x0D0 + 32 * i, report.Rtmr(i), "SM3");
        yield return new("report.serial_number", -1, 64, report.SerialNumber, "of the chip");
    }
}
