using System.Globalization;
using System.Numerics;
using Kist.Formats;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kist.Rego.Builtins;

/// <summary>What plain scalars mean.</summary>
static class YamlScalars
{
    public static RegoValue Resolve(Scalar scalar)
    {
        if (!scalar.Tag.IsEmpty && scalar.Tag.Value is "tag:yaml.org,2002:str" or "!")
            return new RegoString(scalar.Value);
        return scalar.Style == ScalarStyle.Plain ? Plain(scalar.Value) : new RegoString(scalar.Value);
    }

    public static RegoValue Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => RegoNull.Instance,
        "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => RegoValue.True,
        "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => RegoValue.False,
        ".inf" or "-.inf" or "+.inf" or ".nan" or ".Inf" or ".NaN" or ".INF" => throw new MalformedDataException("YAML document", -1, $"JSON has no {text}"),
        _ => Number(text) ?? (RegoValue)new RegoString(text),
    };

    private static RegoNumber? Number(string text)
    {
        if (!(char.IsAsciiDigit(text[0]) || (text[0] is '-' or '+' or '.' && text.Length > 1)))
            return null;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        if (RegoNumber.TryParse(digits) is { } plain)
            return plain;
        var negative = digits.StartsWith('-');
        var rest = digits.TrimStart('-', '+');
        if (digits.Length - rest.Length > 1)
            return null;
        var value = rest switch
        {
            ['0', 'x', .. var hex] when hex.Length > 0 && hex.All(char.IsAsciiHexDigit) => BigInteger.Parse("0" + hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            ['0', 'o', .. var octal] => InBase(octal, 8),
            ['0', 'b', .. var binary] => InBase(binary, 2),
            ['0', .. var octal] when octal.Length > 0 && octal.All(char.IsAsciiDigit) => InBase(octal, 8),
            _ => null,
        };
        if (value is { } integer)
            return RegoNumber.FromBigInteger(negative ? -integer : integer);
        // 1., .5 and +1.5 are floats here and not in JSON.
        if (rest.Length == 0 || rest == "." || !rest.All(c => char.IsAsciiDigit(c) || c is '.' or 'e' or 'E' or '+' or '-') || !rest.Any(char.IsAsciiDigit))
            return null;
        var loose = rest.StartsWith('.') ? "0" + rest : rest.EndsWith('.') ? rest + "0" : rest;
        return RegoNumber.TryParse(negative ? "-" + loose : loose);
    }

    private static BigInteger? InBase(string digits, int radix)
    {
        if (digits.Length == 0)
            return null;
        var value = BigInteger.Zero;
        foreach (var c in digits)
        {
            if (c < '0' || c >= '0' + radix)
                return null;
            value = (value * radix) + (c - '0');
        }

        return value;
    }
}
