using System.Text.Json;

namespace Kist.Attestation.Se;

/// <summary>What SE evidence says, in the names of Trustee's se verifier.</summary>
public sealed record SeClaims(SeEvidence Evidence) : TeeClaims
{
    /// <summary>The first 64 bytes of the user data.</summary>
    public override ReadOnlyMemory<byte> ReportData => Evidence.UserData[..Math.Min(Evidence.UserData.Length, 64)];

    /// <summary>Empty: no field binds init-data.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        const int hash = 32;
        writer.WriteStartObject();
        writer.WriteHex("cuid", Evidence.ConfigurationId.Span);
        writer.WriteHex("user_data", Evidence.UserData.Span);
        writer.WriteHex("report_data", ReportData.Span);
        if (Evidence.AdditionalData.Length >= hash)
            writer.WriteHex("image_phkh", Evidence.AdditionalData.Span[..hash]);
        if (Evidence.AdditionalData.Length >= 2 * hash)
            writer.WriteHex("attestation_phkh", Evidence.AdditionalData.Span[hash..(2 * hash)]);
        writer.WriteHex("tag", Evidence.Tag.Span);
        writer.WriteHex("page_list_digest", Evidence.HeaderTags.Span[..64]);
        writer.WriteHex("address_list_digest", Evidence.HeaderTags.Span[64..128]);
        writer.WriteHex("tweak_list_digest", Evidence.HeaderTags.Span[128..192]);
        writer.WriteEndObject();
    }
}
