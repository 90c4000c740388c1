using System.Text.Json;

namespace Kist.Attestation.Snp;

/// <summary>What an SNP report says. Trustee's claims first, in its names; then what it leaves out.</summary>
public sealed record SnpClaims : TeeClaims
{
    internal SnpClaims(SnpReport report, SnpProduct product)
    {
        Report = report;
        Product = product;
    }

    /// <summary>The report.</summary>
    public SnpReport Report { get; }

    /// <summary>The product line, by CPUID or by the certificate.</summary>
    public SnpProduct Product { get; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Report.ReportData;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Report.HostData;

    /// <summary>The parts of REPORTED_TCB under the names that <see cref="TcbPolicy.MinimumComponents"/> uses.</summary>
    public IEnumerable<KeyValuePair<string, int>> TcbComponents()
    {
        var tcb = Report.ReportedTcb(Product);
        yield return new("reported_tcb_bootloader", tcb.Bootloader);
        yield return new("reported_tcb_tee", tcb.Tee);
        yield return new("reported_tcb_snp", tcb.Snp);
        yield return new("reported_tcb_microcode", tcb.Microcode);
        if (tcb.Fmc is { } fmc)
            yield return new("reported_tcb_fmc", fmc);
    }

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        WriteMembers(writer);
        writer.WriteEndObject();
    }

    /// <summary>Writes the members without the braces, for claims that hold more than the report.</summary>
    internal void WriteMembers(Utf8JsonWriter writer)
    {
        var policy = Report.Policy;
        writer.WriteNumber("policy_abi_major", policy.AbiMajor);
        writer.WriteNumber("policy_abi_minor", policy.AbiMinor);
        writer.WriteBoolean("policy_smt_allowed", policy.IsSmtAllowed);
        writer.WriteBoolean("policy_migrate_ma", policy.IsMigrationAgentAllowed);
        writer.WriteBoolean("policy_debug_allowed", policy.IsDebugAllowed);
        writer.WriteBoolean("policy_single_socket", policy.IsSingleSocketRequired);
        foreach (var (name, value) in TcbComponents())
            writer.WriteNumber(name, value);
        writer.WriteBoolean("platform_tsme_enabled", Report.PlatformInfo.IsTsmeEnabled);
        writer.WriteBoolean("platform_smt_enabled", Report.PlatformInfo.IsSmtEnabled);
        Hex(writer, "measurement", Report.Measurement);
        Hex(writer, "report_data", Report.ReportData);
        Hex(writer, "init_data", Report.HostData);
        Hex(writer, "chip_id", Report.ChipId);
        WriteMore(writer);
    }

    private void WriteMore(Utf8JsonWriter writer)
    {
        writer.WriteNumber("version", Report.Version);
        writer.WriteString("product", Product.ToString());
        writer.WriteString("signing_key", Report.SigningKey.ToString().ToUpperInvariant());
        writer.WriteNumber("guest_svn", Report.GuestSvn);
        writer.WriteNumber("vmpl", Report.Vmpl);
        Hex(writer, "family_id", Report.FamilyId);
        Hex(writer, "image_id", Report.ImageId);
        Hex(writer, "id_key_digest", Report.IdKeyDigest);
        Hex(writer, "author_key_digest", Report.AuthorKeyDigest);
        writer.WriteBoolean("author_key_enabled", Report.IsAuthorKeyEnabled);
        Hex(writer, "report_id", Report.ReportId);
        Hex(writer, "report_id_ma", Report.MigrationAgentReportId);
        Tcb(writer, "current_tcb", Report.CurrentTcb(Product));
        Tcb(writer, "committed_tcb", Report.CommittedTcb(Product));
        Tcb(writer, "launch_tcb", Report.LaunchTcb(Product));
        writer.WriteString("current_version", Report.CurrentVersion.ToString());
        writer.WriteString("committed_version", Report.CommittedVersion.ToString());
        writer.WriteBoolean("policy_cxl_allowed", Report.Policy.IsCxlAllowed);
        writer.WriteBoolean("policy_aes_256_xts_required", Report.Policy.IsAes256XtsRequired);
        writer.WriteBoolean("policy_rapl_disabled_required", Report.Policy.IsRaplDisabledRequired);
        writer.WriteBoolean("policy_ciphertext_hiding_required", Report.Policy.IsCiphertextHidingRequired);
        writer.WriteBoolean("policy_page_swap_disabled", Report.Policy.IsPageSwapDisabled);
        writer.WriteBoolean("platform_ecc_enabled", Report.PlatformInfo.IsEccEnabled);
        writer.WriteBoolean("platform_rapl_disabled", Report.PlatformInfo.IsRaplDisabled);
        writer.WriteBoolean("platform_ciphertext_hiding_enabled", Report.PlatformInfo.IsCiphertextHidingEnabled);
        writer.WriteBoolean("platform_alias_check_complete", Report.PlatformInfo.IsAliasCheckComplete);
        writer.WriteBoolean("platform_tio_enabled", Report.PlatformInfo.IsTioEnabled);
        writer.WriteNumber("launch_mit_vector", Report.LaunchMitigationVector);
        writer.WriteNumber("current_mit_vector", Report.CurrentMitigationVector);
    }

    private static void Hex(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> value) =>
        writer.WriteString(name, Convert.ToHexStringLower(value.Span));

    private static void Tcb(Utf8JsonWriter writer, string name, SnpTcbVersion tcb)
    {
        writer.WriteStartObject(name);
        if (tcb.Fmc is { } fmc)
            writer.WriteNumber("fmc", fmc);
        writer.WriteNumber("bootloader", tcb.Bootloader);
        writer.WriteNumber("tee", tcb.Tee);
        writer.WriteNumber("snp", tcb.Snp);
        writer.WriteNumber("microcode", tcb.Microcode);
        writer.WriteEndObject();
    }
}
