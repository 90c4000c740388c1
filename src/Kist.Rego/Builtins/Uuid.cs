using System.Buffers.Binary;
using System.Globalization;

namespace Kist.Rego.Builtins;

/// <summary>RFC 4122 identifiers, taken apart.</summary>
static class Uuid
{
    /// <summary>100 ns intervals from 1582-10-15 to 1970-01-01.</summary>
    private const long GregorianOffset = 122_192_928_000_000_000;

    /// <summary>What an identifier says of itself; null if the text is none.</summary>
    public static RegoValue? Parse(string text)
    {
        if (Bytes(text) is not { } b)
            return null;
        var version = b[6] >> 4;
        var result = new RegoObjectBuilder
        {
            [new RegoString("version")] = RegoNumber.FromInt64(version),
            [new RegoString("variant")] = new RegoString(Variant(b[8])),
        };
        if (version is 1 or 2)
        {
            result[new RegoString("nodeid")] = new RegoString(string.Join('-', b[10..].Select(x => x.ToString("x2", CultureInfo.InvariantCulture))));
            result[new RegoString("macvariables")] = new RegoString(MacVariables(b[10]));
            result[new RegoString("clocksequence")] = RegoNumber.FromInt64(BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(8)) & 0x3FFF);
            result[new RegoString("time")] = RegoNumber.FromInt64(Time(b));
        }

        if (version == 2)
        {
            result[new RegoString("id")] = RegoNumber.FromInt64(BinaryPrimitives.ReadUInt32BigEndian(b));
            result[new RegoString("domain")] = new RegoString(b[9] switch { 0 => "Person", 1 => "Group", 2 => "Org", var d => $"Domain{d}" });
        }

        return result.ToObject();
    }

    private static byte[]? Bytes(string text)
    {
        var digits = text;
        if (digits.StartsWith("urn:uuid:", StringComparison.OrdinalIgnoreCase))
            digits = digits[9..];
        else if (digits.Length == 38 && digits[0] == '{' && digits[37] == '}')
            digits = digits[1..37];
        if (digits.Length == 32)
            return digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
        return Guid.TryParseExact(digits, "D", out var guid) ? guid.ToByteArray(bigEndian: true) : null;
    }

    private static string Variant(byte octet) =>
        octet >= 0xE0 ? "Future" : octet >= 0xC0 ? "Microsoft" : octet >= 0x80 ? "RFC4122" : "Reserved";

    private static string MacVariables(byte first) => (first & 3) switch
    {
        0 => "global:unicast",
        1 => "global:multicast",
        2 => "local:unicast",
        _ => "local:multicast",
    };

    /// <summary>Nanoseconds since 1970.</summary>
    private static long Time(byte[] b)
    {
        long low = BinaryPrimitives.ReadUInt32BigEndian(b);
        long middle = BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(4));
        long high = BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(6)) & 0x0FFF;
        return ((high << 48 | middle << 32 | low) - GregorianOffset) * 100;
    }
}
