using System.Globalization;

namespace Kist.Formats;

/// <summary>Writes a double as ECMAScript's Number::toString does (ECMA-262 section 6.1.6.1.20; RFC 8785 section 3.2.2.3).</summary>
static class EcmaScriptNumber
{
    public static string Format(double value)
    {
        // Covers -0 too, which ECMAScript writes without its sign.
        if (value == 0)
            return "0";
        var (negative, digits, point) = ShortestDigits(value);
        var text = (digits.Length, point) switch
        {
            var (k, n) when k <= n && n <= 21 => digits + new string('0', n - k),
            var (_, n) when n is > 0 and <= 21 => $"{digits[..n]}.{digits[n..]}",
            var (_, n) when n is > -6 and <= 0 => $"0.{new string('0', -n)}{digits}",
            var (k, n) => $"{digits[0]}{(k == 1 ? "" : "." + digits[1..])}e{(n > 0 ? "+" : "-")}{Math.Abs(n - 1)}",
        };
        return negative ? "-" + text : text;
    }

    /// <summary>
    /// The shortest digits that read back as the same double, and where the decimal point stands, counted from their left.
    /// .NET's round-trip format gives the same digits and differs in the layout only.
    /// </summary>
    private static (bool Negative, string Digits, int Point) ShortestDigits(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var negative = text[0] == '-';
        var mantissa = negative ? text[1..] : text;
        var exponent = 0;
        if (mantissa.IndexOf('E') is var e and >= 0)
        {
            exponent = int.Parse(mantissa.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            mantissa = mantissa[..e];
        }

        var dot = mantissa.IndexOf('.');
        var whole = dot < 0 ? mantissa : mantissa[..dot];
        var digits = dot < 0 ? mantissa : whole + mantissa[(dot + 1)..];
        var point = whole.Length + exponent;
        var leadingZeros = digits.Length - digits.TrimStart('0').Length;
        return (negative, digits[leadingZeros..].TrimEnd('0'), point - leadingZeros);
    }
}
