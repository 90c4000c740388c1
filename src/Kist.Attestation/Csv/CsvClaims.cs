using System.Text.Json;

namespace Kist.Attestation.Csv;

/// <summary>What a CSV report says, in the names of Trustee's csv verifier.</summary>
public sealed record CsvClaims(CsvReport Report) : TeeClaims
{
    private static readonly string[] PolicyBits = ["nodbg", "noks", "es", "nosend", "domain", "csv", "csv3", "asid_reuse"];

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Report.ReportData;

    /// <summary>Empty: no field of the report binds init-data.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("version", $"{Report.Version}");
        WritePolicy(writer);
        writer.WriteHex("user_pubkey_digest", Report.UserPublicKeyDigest.Span);
        writer.WriteHex("vm_id", Report.VmId.Span);
        writer.WriteHex("vm_version", Report.VmVersion.Span);
        writer.WriteHex("report_data", Report.ReportData.Span);
        writer.WriteHex("mnonce", Report.Nonce.Span);
        writer.WriteHex("measure", Report.Measure.Span);
        writer.WriteString("sig_usage", $"{Report.SignatureUsage}");
        writer.WriteString("sig_algo", $"{Report.SignatureAlgorithm}");
        writer.WriteString("serial_number", Report.SerialNumber);
        if (Report.Version == 1)
        {
            writer.WriteString("anonce", $"{Report.Anonce}");
        }
        else
        {
            writer.WriteString("build", $"{Report.Build}");
            for (var i = 0; i < 5; i++)
                writer.WriteHex($"rtmr{i}", Report.Rtmr(i).Span);
        }

        writer.WriteEndObject();
    }

    private void WritePolicy(Utf8JsonWriter writer)
    {
        var policy = Report.Policy;
        writer.WriteStartObject("policy");
        for (var i = 0; i < PolicyBits.Length; i++)
            writer.WriteString(PolicyBits[i], $"{policy >> i & 1}");
        writer.WriteString("hsk_version", $"{policy >> 8 & 0xF}");
        writer.WriteString("cek_version", $"{policy >> 12 & 0xF}");
        writer.WriteString("api_major", $"{policy >> 16 & 0xFF}");
        writer.WriteString("api_minor", $"{policy >> 24}");
        writer.WriteEndObject();
    }
}
