namespace Kist.Attestation.Snp;

/// <summary>Lists every field of a report with offset, value and meaning.</summary>
internal static class SnpInspector
{
    public static IEnumerable<EvidenceField> Fields(SnpEvidence evidence) =>
        ReportFields(evidence.Report).Concat(CertificateFields(evidence));

    /// <summary>The fields of a report that begins at <paramref name="origin"/> of the evidence.</summary>
    public static IEnumerable<EvidenceField> ReportFields(SnpReport report, int origin = 0)
    {
        foreach (var field in Head(report).Concat(Digests(report)).Concat(Tail(report)))
            yield return field with { Offset = field.Offset + origin };
    }

    private static IEnumerable<EvidenceField> Head(SnpReport report)
    {
        var policy = report.Policy;
        yield return new("report.version", 0x000, 4, $"{report.Version}", "2 Milan's first; 3 adds CPUID; 5 adds mitigation vectors");
        yield return new("report.guest_svn", 0x004, 4, $"{report.GuestSvn}", "security version of the guest, from its ID block");
        yield return new("report.policy", 0x008, 8, policy.ToString(), Describe(policy));
        yield return Bytes("report.family_id", 0x010, report.FamilyId, "from the ID block");
        yield return Bytes("report.image_id", 0x020, report.ImageId, "from the ID block");
        yield return new("report.vmpl", 0x030, 4, $"{report.Vmpl}", "privilege level that asked: 0 is the highest");
        yield return new("report.signature_algo", 0x034, 4, $"{report.SignatureAlgorithm}", "1 is ECDSA P-384 with SHA-384");
        yield return Tcb(report, "report.current_tcb", 0x038, report.CurrentTcb(report.Product), "of the running firmware");
        yield return new("report.platform_info", 0x040, 8, report.PlatformInfo.ToString(), Describe(report.PlatformInfo));
        yield return new("report.key_info", 0x048, 4, $"0x{report.KeyInfo:x}",
            $"signing key {report.SigningKey}; author key {(report.IsAuthorKeyEnabled ? "present" : "absent")}; chip key {(report.IsChipKeyMasked ? "masked" : "not masked")}");
    }

    private static IEnumerable<EvidenceField> Digests(SnpReport report)
    {
        yield return Bytes("report.report_data", 0x050, report.ReportData, "chosen by the guest");
        yield return Bytes("report.measurement", 0x090, report.Measurement, "launch digest");
        yield return Bytes("report.host_data", 0x0C0, report.HostData, "set by the host at launch; init-data digest");
        yield return Bytes("report.id_key_digest", 0x0E0, report.IdKeyDigest, "SHA-384 of the key that signed the ID block");
        yield return Bytes("report.author_key_digest", 0x110, report.AuthorKeyDigest, "SHA-384 of the key that certified the ID key");
        yield return Bytes("report.report_id", 0x140, report.ReportId, "one a guest instance");
        yield return Bytes("report.report_id_ma", 0x160, report.MigrationAgentReportId, "of the migration agent; all ones for none");
    }

    private static IEnumerable<EvidenceField> Tail(SnpReport report)
    {
        var product = report.Product;
        yield return Tcb(report, "report.reported_tcb", 0x180, report.ReportedTcb(product), "the signing key was derived from it");
        yield return new("report.cpuid", 0x188, 3,
            $"family {report.CpuidFamily:x2}h, model {report.CpuidModel:x2}h, stepping {report.CpuidStepping:x}h",
            report.Version < 3 ? "not in this version" : product.ToString());
        yield return Bytes("report.chip_id", 0x1A0, report.ChipId, "hardware id; zero if masked or signed by a VLEK");
        yield return Tcb(report, "report.committed_tcb", 0x1E0, report.CommittedTcb(product), "the firmware cannot go below");
        yield return new("report.current_version", 0x1E8, 3, report.CurrentVersion.ToString(), "running firmware");
        yield return new("report.committed_version", 0x1EC, 3, report.CommittedVersion.ToString(), "committed firmware");
        yield return Tcb(report, "report.launch_tcb", 0x1F0, report.LaunchTcb(product), "when the guest was launched");
        yield return new("report.launch_mit_vector", 0x1F8, 8, $"0x{report.LaunchMitigationVector:x}", "mitigations in force at launch");
        yield return new("report.current_mit_vector", 0x200, 8, $"0x{report.CurrentMitigationVector:x}", "mitigations in force now");
        yield return Bytes("report.signature", SnpReport.SignedSize, report.Signature, "R and S, 72 bytes each, little-endian");
    }

    private static IEnumerable<EvidenceField> CertificateFields(SnpEvidence evidence)
    {
        for (var i = 0; i < evidence.Certificates.Count; i++)
        {
            var certificate = evidence.Certificates[i];
            yield return new($"certificates.{i}", -1, certificate.Data.Length, Convert.ToHexStringLower(certificate.Data.Span),
                certificate.Kind.ToString().ToUpperInvariant());
        }
    }

    private static EvidenceField Bytes(string path, int offset, ReadOnlyMemory<byte> value, string meaning) =>
        new(path, offset, value.Length, Convert.ToHexStringLower(value.Span), meaning);

    private static EvidenceField Tcb(SnpReport report, string path, int offset, SnpTcbVersion tcb, string meaning) =>
        new(path, offset, SnpTcbVersion.Size, Convert.ToHexStringLower(report.Bytes.Span.Slice(offset, SnpTcbVersion.Size)), $"{tcb}; {meaning}");

    private static string Describe(SnpGuestPolicy policy)
    {
        var parts = new List<string> { $"ABI at least {policy.AbiMajor}.{policy.AbiMinor}" };
        parts.Add(policy.IsDebugAllowed ? "DEBUG ALLOWED" : "no debug");
        parts.Add(policy.IsMigrationAgentAllowed ? "migration agent allowed" : "no migration agent");
        parts.Add(policy.IsSmtAllowed ? "SMT allowed" : "no SMT");
        if (policy.IsSingleSocketRequired)
            parts.Add("single socket");
        if (policy.IsCiphertextHidingRequired)
            parts.Add("ciphertext hiding required");
        return string.Join(", ", parts);
    }

    private static string Describe(SnpPlatformInfo info)
    {
        var parts = new List<string>();
        if (info.IsSmtEnabled)
            parts.Add("SMT on");
        if (info.IsTsmeEnabled)
            parts.Add("TSME on");
        if (info.IsEccEnabled)
            parts.Add("ECC memory");
        if (info.IsRaplDisabled)
            parts.Add("RAPL off");
        if (info.IsCiphertextHidingEnabled)
            parts.Add("ciphertext hiding on");
        if (info.IsAliasCheckComplete)
            parts.Add("alias check done");
        if (info.IsTioEnabled)
            parts.Add("trusted I/O on");
        return parts.Count == 0 ? "nothing set" : string.Join(", ", parts);
    }
}
