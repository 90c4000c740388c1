using System.Text.Json;

namespace Kist.Attestation.Nitro;

/// <summary>What a Nitro document says, in the names of AWS's specification.</summary>
public sealed record NitroClaims(NitroDocument Document) : TeeClaims
{
    /// <summary>user_data, or nonce if the enclave gave no user data.</summary>
    public override ReadOnlyMemory<byte> ReportData => Document.UserData ?? Document.Nonce ?? default;

    /// <summary>Empty: no field of the document binds start-up configuration that the host gives.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("module_id", Document.ModuleId);
        writer.WriteString("digest", Document.Digest);
        writer.WriteNumber("timestamp", Document.Timestamp.ToUnixTimeMilliseconds());
        writer.WriteStartObject("pcrs");
        foreach (var (index, value) in Document.Pcrs)
            writer.WriteString($"pcr{index}", Convert.ToHexStringLower(value.Span));
        writer.WriteEndObject();
        WriteOptional(writer, "public_key", Document.PublicKey);
        WriteOptional(writer, "user_data", Document.UserData);
        WriteOptional(writer, "nonce", Document.Nonce);
        writer.WriteBoolean("debug", Document.IsDebug);
        writer.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte>? value)
    {
        if (value is { } bytes)
            writer.WriteString(name, Convert.ToHexStringLower(bytes.Span));
        else
            writer.WriteNull(name);
    }
}
