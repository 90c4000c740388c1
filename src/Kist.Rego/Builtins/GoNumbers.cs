using System.Globalization;
using System.Numerics;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Go's verbs for integers and floats.</summary>
static class GoNumbers
{
    /// <summary>The formatted integer, or null if the verb is not for integers.</summary>
    public static string? Integer(BigInteger value, Rune verb, GoFormat.Spec spec)
    {
        switch (verb.Value)
        {
            case 's' when value < long.MinValue || value > long.MaxValue:
            case 'd' or 'v': return Digits(value, 10, "", spec);
            case 'b': return Digits(value, 2, spec.Sharp ? "0b" : "", spec);
            case 'o': return Digits(value, 8, spec.Sharp ? "0" : "", spec);
            case 'O': return Digits(value, 8, "0o", spec);
            case 'x': return Digits(value, 16, spec.Sharp ? "0x" : "", spec);
            case 'X': return Digits(value, 16, spec.Sharp ? "0X" : "", spec, upper: true);
            case 'c': return spec.Pad(Character(value));
            case 'q': return spec.Pad($"'{GoText.Escape(new Rune(CodePoint(value)), '\'', spec.Plus)}'");
            case 'U': return spec.Pad($"U+{CodePoint(value):X4}{(spec.Sharp ? $" '{Character(value)}'" : "")}");
            default: return null;
        }
    }

    /// <summary>The formatted float, or null if the verb is not for floats.</summary>
    public static string? Float(double value, Rune verb, GoFormat.Spec spec)
    {
        string text;
        switch (verb.Value)
        {
            case 'v': text = General(value, spec.Precision, 21, 'e'); break;
            case 'g': text = General(value, spec.Precision, 21, 'e'); break;
            case 'G': text = General(value, spec.Precision, 21, 'E'); break;
            case 'f' or 'F': text = value.ToString("F" + Precision(spec), CultureInfo.InvariantCulture); break;
            case 'e': text = Exponential(value, spec, 'e'); break;
            case 'E': text = Exponential(value, spec, 'E'); break;
            default: return null;
        }

        if (!text.StartsWith('-'))
            text = (spec.Plus ? "+" : spec.Space ? " " : "") + text;
        return ZeroPad(text, spec);
    }

    private static string Precision(GoFormat.Spec spec) => Math.Min(spec.Precision ?? 6, 1000).ToString(CultureInfo.InvariantCulture);

    private static string Exponential(double value, GoFormat.Spec spec, char e) =>
        value.ToString($"{e}{Precision(spec)}", CultureInfo.InvariantCulture) is var text ? TwoDigitExponent(text, e) : "";

    /// <summary>.NET writes three digits of exponent, Go at least two.</summary>
    private static string TwoDigitExponent(string text, char e)
    {
        var i = text.IndexOf(e);
        var exponent = text[(i + 2)..].TrimStart('0').PadLeft(2, '0');
        return text[..(i + 2)] + exponent;
    }

    /// <summary>%g: the shortest digits, or as many as the precision says; an exponent where that is large or small.</summary>
    private static string General(double value, int? precision, int threshold, char e)
    {
        if (value == 0)
            return double.IsNegative(value) ? "-0" : "0";
        var wanted = Math.Max(precision ?? 17, 1);
        var scientific = precision is null ? value.ToString("E16", CultureInfo.InvariantCulture) : value.ToString("E" + Math.Min(wanted - 1, 1000), CultureInfo.InvariantCulture);
        if (precision is null)
        {
            for (var digits = 0; digits < 17; digits++)
            {
                scientific = value.ToString("E" + digits, CultureInfo.InvariantCulture);
                if (double.Parse(scientific, CultureInfo.InvariantCulture) == value)
                    break;
            }
        }

        var mark = scientific.IndexOf('E');
        var exponent = int.Parse(scientific.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var negative = scientific.StartsWith('-');
        var mantissa = scientific[(negative ? 1 : 0)..mark].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        var limit = precision is null ? threshold : wanted > mantissa.Length && mantissa.Length >= exponent + 1 ? mantissa.Length : wanted;
        return (negative ? "-" : "") + Layout(mantissa, exponent, exponent < -4 || exponent >= limit, e);
    }

    private static string Layout(string digits, int exponent, bool scientific, char e)
    {
        if (scientific)
        {
            var fraction = digits.Length > 1 ? $".{digits[1..]}" : "";
            return $"{digits[0]}{fraction}{e}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        }

        if (exponent < 0)
            return $"0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1 ? digits.PadRight(exponent + 1, '0') : $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static string Digits(BigInteger value, int radix, string prefix, GoFormat.Spec spec, bool upper = false)
    {
        var digits = GoFormat.Integer(BigInteger.Abs(value), radix);
        if (upper)
            digits = digits.ToUpperInvariant();
        if (spec.Precision is { } precision)
            digits = digits.PadLeft(precision, '0');
        var sign = value.Sign < 0 ? "-" : spec.Plus ? "+" : spec.Space ? " " : "";
        var text = sign + prefix + digits;
        return spec.Precision is null ? ZeroPad(text, spec, sign.Length + prefix.Length) : spec.Pad(text);
    }

    /// <summary>Zeros go between the sign and the digits.</summary>
    private static string ZeroPad(string text, GoFormat.Spec spec, int lead = -1)
    {
        var missing = (spec.Width ?? 0) - text.Length;
        if (missing <= 0 || !spec.Zero || spec.Minus)
            return spec.Pad(text);
        if (lead < 0)
            lead = text[0] is '-' or '+' or ' ' ? 1 : 0;
        return text.Insert(lead, new string('0', missing));
    }

    private static int CodePoint(BigInteger value) => value >= 0 && value <= 0x10FFFF && Rune.IsValid((int)value) ? (int)value : 0xFFFD;

    private static string Character(BigInteger value) => new Rune(CodePoint(value)).ToString();
}
