using System.Text.Json;

namespace Kist.Attestation.Sev;

/// <summary>What a SEV certificate chain says: which platform, under which firmware and owner.</summary>
public sealed record SevClaims : TeeClaims
{
    /// <summary>API version of the firmware that made the PDH.</summary>
    public required Version Firmware { get; init; }

    /// <summary>SHA-256 of the PDH's SubjectPublicKeyInfo; empty if the key is not usable.</summary>
    public required ReadOnlyMemory<byte> PdhDigest { get; init; }

    /// <summary>SHA-256 of the CEK's SubjectPublicKeyInfo, which stands for the chip; empty if the key is not usable.</summary>
    public required ReadOnlyMemory<byte> CekDigest { get; init; }

    /// <summary>SHA-256 of the OCA's SubjectPublicKeyInfo, which stands for the owner; empty if the key is not usable.</summary>
    public required ReadOnlyMemory<byte> OcaDigest { get; init; }

    /// <summary>Empty: the chain is made before any request.</summary>
    public override ReadOnlyMemory<byte> ReportData => default;

    /// <summary>Empty.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("api_major", Firmware.Major);
        writer.WriteNumber("api_minor", Firmware.Minor);
        writer.WriteHex("pdh", PdhDigest.Span);
        writer.WriteHex("cek", CekDigest.Span);
        writer.WriteHex("oca", OcaDigest.Span);
        writer.WriteEndObject();
    }
}
