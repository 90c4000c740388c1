namespace Kist.Rego.Builtins;

/// <summary>POSIX classes inside brackets, <c>[[:alpha:]]</c>.</summary>
static class PosixClasses
{
    public static string? Translate(ReadOnlySpan<char> name) => name switch
    {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => "\\0-\\x7F",
        "blank" => "\\t ",
        "cntrl" => "\\0-\\x1F\\x7F",
        "digit" => "0-9",
        "graph" => "!-~",
        "lower" => "a-z",
        "print" => " -~",
        "punct" => "!-/:-@\\[-`{-~",
        "space" => "\\t-\\r ",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => null,
    };
}

/// <summary>Unicode classes: general categories are the same in .NET; of scripts, those that are one block or a few.</summary>
static class UnicodeScripts
{
    private static readonly HashSet<string> Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No",
        "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cs",
    ];

    /// <summary>The .NET class, usable inside and outside brackets; null if it is not known.</summary>
    public static string? Translate(string name, bool negative)
    {
        var p = negative ? "\\P" : "\\p";
        if (Categories.Contains(name))
            return $"{p}{{{name}}}";
        var block = name switch
        {
            "Greek" => "IsGreek",
            "Cyrillic" => "IsCyrillic",
            "Han" => "IsCJKUnifiedIdeographs",
            "Hiragana" => "IsHiragana",
            "Katakana" => "IsKatakana",
            "Hebrew" => "IsHebrew",
            "Arabic" => "IsArabic",
            "Thai" => "IsThai",
            "Armenian" => "IsArmenian",
            "Devanagari" => "IsDevanagari",
            _ => null,
        };
        return block is null ? null : $"{p}{{{block}}}";
    }
}
