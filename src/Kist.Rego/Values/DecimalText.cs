using System.Globalization;
using System.Numerics;

namespace Kist.Rego;

/// <summary>Decimal numbers as text: JSON's grammar, and its inverse.</summary>
static class DecimalText
{
    /// <summary>Reads <c>-? int frac? exp?</c> to mantissa and power of ten; false if it is not that, or too large.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out BigInteger mantissa, out int exponent)
    {
        mantissa = default;
        exponent = 0;
        if (text.Length > RegoNumber.MaxLength || !TrySplit(text, out var digits, out var fraction, out var power))
            return false;
        if (power is < -RegoNumber.MaxExponent or > RegoNumber.MaxExponent)
            return false;
        var all = string.Concat(digits, fraction);
        // Zeros at the end are cheap to take off here, and dear in StripZeros.
        var kept = Math.Max(all.AsSpan().TrimEnd('0').Length, all.StartsWith('-') ? 2 : 1);
        mantissa = BigInteger.Parse(all.AsSpan(0, kept), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        exponent = power - fraction.Length + all.Length - kept;
        return true;
    }

    /// <summary>Writes a decimal plainly: digits, and a point where the exponent is negative.</summary>
    public static string Write(BigInteger mantissa, int exponent)
    {
        if (exponent >= 0)
            return (mantissa * BigInteger.Pow(10, exponent)).ToString(CultureInfo.InvariantCulture);
        var digits = BigInteger.Abs(mantissa).ToString(CultureInfo.InvariantCulture).PadLeft(1 - exponent, '0');
        var point = digits.Length + exponent;
        return $"{(mantissa.Sign < 0 ? "-" : "")}{digits.AsSpan(0, point)}.{digits.AsSpan(point)}";
    }

    /// <summary>Moves trailing zeros from the mantissa to the exponent.</summary>
    public static (BigInteger Mantissa, int Exponent) StripZeros(BigInteger mantissa, int exponent)
    {
        while (!mantissa.IsZero)
        {
            var quotient = BigInteger.DivRem(mantissa, 10, out var remainder);
            if (!remainder.IsZero)
                break;
            mantissa = quotient;
            exponent++;
        }

        return (mantissa, exponent);
    }

    private static bool TrySplit(ReadOnlySpan<char> text, out ReadOnlySpan<char> whole, out ReadOnlySpan<char> fraction, out int power)
    {
        fraction = default;
        power = 0;
        var i = text is ['-', ..] ? 1 : 0;
        var first = i;
        i = SkipDigits(text, i);
        whole = text[..i];
        if (i == first || (text[first] == '0' && i > first + 1))
            return false;
        if (i < text.Length && text[i] == '.')
        {
            var end = SkipDigits(text, i + 1);
            fraction = text[(i + 1)..end];
            if (fraction.IsEmpty)
                return false;
            i = end;
        }

        if (i < text.Length && text[i] is 'e' or 'E')
        {
            var sign = i + 1 < text.Length && text[i + 1] is '+' or '-' ? 1 : 0;
            var end = SkipDigits(text, i + 1 + sign);
            if (end == i + 1 + sign || !int.TryParse(text[(i + 1)..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power))
                return false;
            i = end;
        }

        return i == text.Length;
    }

    private static int SkipDigits(ReadOnlySpan<char> text, int i)
    {
        while (i < text.Length && char.IsAsciiDigit(text[i]))
            i++;
        return i;
    }
}
