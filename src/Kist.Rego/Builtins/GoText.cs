using System.Globalization;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Go's verbs for strings.</summary>
static class GoText
{
    /// <summary>The formatted text, or null if the verb is not for strings.</summary>
    public static string? String(string value, Rune verb, GoFormat.Spec spec)
    {
        switch (verb.Value)
        {
            case 'v' when spec.Sharp:
                return spec.Pad(Quote(value, ascii: false), zeros: true);
            case 's' or 'v':
                return spec.Pad(Truncate(value, spec), zeros: true);
            case 'q':
                var truncated = Truncate(value, spec);
                return spec.Pad(spec.Sharp && !truncated.Contains('`') ? $"`{truncated}`" : Quote(truncated, spec.Plus), zeros: true);
            case 'x':
                return spec.Pad(Hex(value, spec, upper: false), zeros: true);
            case 'X':
                return spec.Pad(Hex(value, spec, upper: true), zeros: true);
            default:
                return null;
        }
    }

    /// <summary>A Go string literal.</summary>
    public static string Quote(string value, bool ascii)
    {
        var text = new StringBuilder("\"");
        foreach (var rune in value.EnumerateRunes())
            text.Append(Escape(rune, '"', ascii));
        return text.Append('"').ToString();
    }

    /// <summary>One code point inside a Go literal.</summary>
    public static string Escape(Rune rune, char quote, bool ascii)
    {
        if (rune.Value == quote || rune.Value == '\\')
            return $"\\{rune}";
        return rune.Value switch
        {
            7 => "\\a",
            8 => "\\b",
            12 => "\\f",
            10 => "\\n",
            13 => "\\r",
            9 => "\\t",
            11 => "\\v",
            _ when IsPrintable(rune) && (!ascii || rune.IsAscii) => rune.ToString(),
            < 32 or 127 => $"\\x{rune.Value:x2}",
            < 0x10000 => $"\\u{rune.Value:x4}",
            _ => $"\\U{rune.Value:x8}",
        };
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or
        UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    private static string Truncate(string value, GoFormat.Spec spec) =>
        spec.Precision is { } most ? value[..CodePoints.Offset(value, most)] : value;

    private static string Hex(string value, GoFormat.Spec spec, bool upper)
    {
        var bytes = Encoding.UTF8.GetBytes(value).AsSpan();
        if (spec.Precision is { } most && most < bytes.Length)
            bytes = bytes[..most];
        var prefix = spec.Sharp && bytes.Length > 0 ? upper ? "0X" : "0x" : "";
        var text = new StringBuilder(prefix);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (spec.Space && i > 0)
                text.Append(' ').Append(prefix);
            text.Append(bytes[i].ToString(upper ? "X2" : "x2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
