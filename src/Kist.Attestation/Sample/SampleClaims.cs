using System.Text.Json;

namespace Kist.Attestation;

/// <summary>What sample evidence says. The constants are those of Trustee's verifier, so that its policies can be tried.</summary>
public sealed record SampleClaims(string Svn, ReadOnlyMemory<byte> Report) : TeeClaims
{
    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Report;

    /// <summary>Empty: sample evidence binds no init-data.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("svn"u8, Svn);
        writer.WriteString("report_data"u8, Convert.ToHexStringLower(Report.Span));
        writer.WriteString("launch_digest"u8, "abcde"u8);
        writer.WriteStartObject("platform_version"u8);
        writer.WriteNumber("major"u8, 1);
        writer.WriteNumber("minor"u8, 4);
        writer.WriteEndObject();
        writer.WriteBoolean("debug"u8, false);
        writer.WriteEndObject();
    }
}
