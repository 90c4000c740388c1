using System.Text.Json;

namespace Kist.Attestation;

/// <summary>Writes bytes as lower-case hexadecimal text, as claims have them.</summary>
internal static class HexJson
{
    public static void WriteHex(this Utf8JsonWriter writer, string name, ReadOnlySpan<byte> value) =>
        writer.WriteString(name, Convert.ToHexStringLower(value));
}
