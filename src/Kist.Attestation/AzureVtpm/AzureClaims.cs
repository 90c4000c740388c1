using System.Collections.Immutable;
using System.Text.Json;
using Kist.Attestation.Snp;
using Kist.Attestation.Tdx;
using Kist.Attestation.Tpm;

namespace Kist.Attestation.AzureVtpm;

/// <summary>
/// What evidence of an Azure confidential machine says. For SNP the claims are those of Trustee's az-snp-vtpm verifier, which
/// writes SNP's claims as strings and digests in base64; the same claims with their types follow in "snp". For TDX they are
/// those of tdx. Both have "tpm" with the quoted registers; report_data and init_data are the quote's and PCR 8.
/// </summary>
public sealed record AzureClaims : TeeClaims
{
    /// <summary>What the hardware report says: <see cref="SnpClaims"/> or <see cref="TdxClaims"/>.</summary>
    public required TeeClaims Hardware { get; init; }

    /// <summary>The vTPM's quote.</summary>
    public required TpmQuote Quote { get; init; }

    /// <summary>The quoted registers.</summary>
    public required ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs { get; init; }

    /// <summary>"vm-configuration" of the runtime data; null if there is none.</summary>
    public JsonElement? Configuration { get; init; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Quote.ExtraData;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Pcrs.GetValueOrDefault(TpmClaims.InitDataRegister);

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Hardware is SnpClaims snp)
            WriteSnp(writer, snp);
        else
            CopyMembers(writer, Hardware);
        writer.WriteStartObject("tpm");
        TpmClaims.WritePcrs(writer, Pcrs);
        writer.WriteEndObject();
        if (Configuration is { } configuration)
        {
            writer.WritePropertyName("vm_configuration");
            configuration.WriteTo(writer);
        }

        writer.WriteHex("report_data", ReportData.Span);
        writer.WriteHex("init_data", InitDataField.Span);
        writer.WriteEndObject();
    }

    private static void WriteSnp(Utf8JsonWriter writer, SnpClaims snp)
    {
        static string Text(bool value) => value ? "true" : "false";
        var report = snp.Report;
        writer.WriteString("policy_abi_major", $"{report.Policy.AbiMajor}");
        writer.WriteString("policy_abi_minor", $"{report.Policy.AbiMinor}");
        writer.WriteString("policy_smt_allowed", Text(report.Policy.IsSmtAllowed));
        writer.WriteString("policy_migrate_ma", Text(report.Policy.IsMigrationAgentAllowed));
        writer.WriteString("policy_debug_allowed", Text(report.Policy.IsDebugAllowed));
        writer.WriteString("policy_single_socket", Text(report.Policy.IsSingleSocketRequired));
        foreach (var (name, value) in snp.TcbComponents())
            writer.WriteString(name, $"{value}");
        writer.WriteString("platform_tsme_enabled", Text(report.PlatformInfo.IsTsmeEnabled));
        writer.WriteString("platform_smt_enabled", Text(report.PlatformInfo.IsSmtEnabled));
        writer.WriteBase64String("measurement", report.Measurement.Span);
        writer.WritePropertyName("snp");
        snp.WriteTo(writer);
    }

    private static void CopyMembers(Utf8JsonWriter writer, TeeClaims claims)
    {
        using var stream = new MemoryStream();
        using (var inner = new Utf8JsonWriter(stream))
            claims.WriteTo(inner);
        using var document = JsonDocument.Parse(stream.ToArray());
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Name is not ("report_data" or "init_data"))
                member.WriteTo(writer);
        }
    }
}
