using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Kist.Rego.Builtins;

/// <summary>A CIDR block, or one address, of either family.</summary>
readonly record struct IpRange(bool IsV6, UInt128 First, int Prefix)
{
    private int Bits => IsV6 ? 128 : 32;

    private UInt128 Size => Prefix == 0 && IsV6 ? UInt128.MaxValue : UInt128.One << (Bits - Prefix);

    public UInt128 Last => Prefix == 0 && IsV6 ? UInt128.MaxValue : First + (Size - 1);

    /// <summary>The number of addresses less one.</summary>
    public UInt128 Span => Last - First;

    public bool Contains(IpRange other) => IsV6 == other.IsV6 && other.First >= First && other.Last <= Last;

    public bool Intersects(IpRange other) => IsV6 == other.IsV6 && other.First <= Last && First <= other.Last;

    /// <summary>Reads <c>address/length</c>; null if it is not that.</summary>
    public static IpRange? ParseCidr(string text)
    {
        var slash = text.IndexOf('/');
        if (slash < 0 || ParseAddress(text[..slash]) is not { } address)
            return null;
        var length = text.AsSpan(slash + 1);
        if (!int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix > address.Bits || (length.Length > 1 && length[0] == '0'))
            return null;
        var mask = prefix == 0 ? UInt128.Zero : UInt128.MaxValue << (address.Bits - prefix);
        return address with { First = address.First & mask, Prefix = prefix };
    }

    /// <summary>Reads an address; null if it is none. IPv4 has four decimal parts without leading zeros.</summary>
    public static IpRange? ParseAddress(string text)
    {
        if (text.Contains('%') || !IPAddress.TryParse(text, out var address))
            return null;
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            var parts = text.Split('.');
            return parts.Length == 4 && parts.All(p => p.Length is >= 1 and <= 3 && p.All(char.IsAsciiDigit) && (p.Length == 1 || p[0] != '0'))
                ? new IpRange(false, BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()), 32)
                : null;
        }

        if (text.StartsWith('['))
            return null;
        return address.IsIPv4MappedToIPv6
            ? new IpRange(false, BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes().AsSpan(12)), 32)
            : new IpRange(true, BinaryPrimitives.ReadUInt128BigEndian(address.GetAddressBytes()), 128);
    }

    public static string AddressText(UInt128 value, bool isV6)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(isV6 ? bytes : bytes[12..]).ToString();
    }

    public override string ToString() => $"{AddressText(First, IsV6)}/{Prefix}";
}
