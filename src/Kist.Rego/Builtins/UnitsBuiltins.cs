using System.Globalization;
using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>units.parse and units.parse_bytes.</summary>
static class UnitsBuiltins
{
    private const string Milli = "/1000";
    private const int MaxDecimals = 10;

    public static void Register(Registry table)
    {
        table.Add("units.parse", 1, (c, a) => c.String(a, 0, out var s) ? Parse(c, s, bytes: false) : null);
        table.Add("units.parse_bytes", 1, (c, a) => c.String(a, 0, out var s) ? Parse(c, s, bytes: true) : null);
    }

    private static RegoValue? Parse(BuiltinContext c, string text, bool bytes)
    {
        var s = text.Replace("\"", "", StringComparison.Ordinal);
        if (s.Length == 0)
            return c.Fail(bytes ? "no byte amount provided" : "no amount provided");
        if (s.Contains(' '))
            return c.Fail("spaces not allowed in resource strings");
        var end = 0;
        while (end < s.Length && (char.IsAsciiDigit(s[end]) || s[end] is '.' or '-' or '+' || IsExponent(s, end)))
            end++;
        if (end == 0)
            return c.Fail(bytes ? "no byte amount provided" : "no amount provided");
        var unit = s[end..];
        if (HasLargeExponent(s.AsSpan(0, end)))
            return c.Fail("exponent too large");
        if (Number(s.AsSpan(0, end).ToString()) is not { } amount)
            return c.Fail(bytes ? "could not parse byte amount to a number" : "could not parse amount to a number");
        if ((bytes ? BytesFactor(unit) : Factor(unit)) is not { } factor)
            return c.Fail($"{(bytes ? "byte unit" : "unit")} {unit} not recognized");
        return Scale(amount, factor, decimals: bytes ? 0 : MaxDecimals);
    }

    /// <summary>The exact product, with as many decimals as are kept: bytes are cut off, other units rounded half away from zero.</summary>
    private static RegoNumber Scale(RegoNumber amount, string factor, int decimals)
    {
        var (mantissa, exponent) = amount.ToDecimal();
        if (factor == Milli)
            exponent -= 3;
        else
            mantissa *= BigInteger.Parse(factor, CultureInfo.InvariantCulture);
        if (exponent < 0 && -exponent > decimals)
        {
            var divisor = BigInteger.Pow(10, -exponent - decimals);
            var half = decimals == 0 ? BigInteger.Zero : divisor / 2 * mantissa.Sign;
            (mantissa, exponent) = ((mantissa + half) / divisor, -decimals);
        }

        for (; exponent < 0 && mantissa % 10 == 0; exponent++)
            mantissa /= 10;
        if (exponent >= 0)
            return RegoNumber.FromBigInteger(mantissa * BigInteger.Pow(10, exponent));
        var digits = BigInteger.Abs(mantissa).ToString(CultureInfo.InvariantCulture).PadLeft(1 - exponent, '0');
        return RegoNumber.TryParse($"{(mantissa.Sign < 0 ? "-" : "")}{digits[..^-exponent]}.{digits[^-exponent..]}")!;
    }

    /// <summary>An exponent as in 1e3 and 1E-3; a lone E is the unit exa.</summary>
    private static bool IsExponent(string s, int i) =>
        s[i] is 'e' or 'E' && i > 0 && i + 1 < s.Length &&
        (char.IsAsciiDigit(s[i + 1]) || (s[i + 1] is '-' or '+' && i + 2 < s.Length && char.IsAsciiDigit(s[i + 2])));

    private static bool HasLargeExponent(ReadOnlySpan<char> number)
    {
        var e = number.IndexOfAny('e', 'E');
        return e >= 0 && number[(e + 1)..].TrimStart("+-0").Length > 3;
    }

    private static RegoNumber? Number(string text)
    {
        var s = text.StartsWith('+') ? text[1..] : text;
        if (s.StartsWith('.'))
            s = "0" + s;
        if (s.EndsWith('.'))
            s += "0";
        return RegoNumber.TryParse(s);
    }

    /// <summary>Decimal and binary prefixes; <c>m</c> is milli, <c>M</c> mega, other letters in either case.</summary>
    private static string? Factor(string unit) => unit switch
    {
        "" => "1",
        "m" => Milli,
        _ when unit.Equals("M", StringComparison.Ordinal) => "1000000",
        _ => unit.ToLowerInvariant() switch
        {
            "k" => "1000",
            "g" => "1000000000",
            "t" => "1000000000000",
            "p" => "1000000000000000",
            "e" => "1000000000000000000",
            var other => Binary(other),
        },
    };

    private static string? BytesFactor(string unit) => unit.ToLowerInvariant() switch
    {
        "" or "b" => "1",
        "k" or "kb" => "1000",
        "m" or "mb" => "1000000",
        "g" or "gb" => "1000000000",
        "t" or "tb" => "1000000000000",
        "p" or "pb" => "1000000000000000",
        "e" or "eb" => "1000000000000000000",
        ['k' or 'm' or 'g' or 't' or 'p' or 'e', 'i', 'b'] and var u => Binary(u[..2]),
        var other => Binary(other),
    };

    private static string? Binary(string unit) => unit switch
    {
        "ki" => "1024",
        "mi" => "1048576",
        "gi" => "1073741824",
        "ti" => "1099511627776",
        "pi" => "1125899906842624",
        "ei" => "1152921504606846976",
        _ => null,
    };
}
