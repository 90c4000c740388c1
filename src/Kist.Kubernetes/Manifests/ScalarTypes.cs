using System.Globalization;
using System.Text.RegularExpressions;

namespace Kist.Kubernetes;

/// <summary>What an unquoted scalar is to kubectl, which reads YAML 1.1.</summary>
static partial class ScalarTypes
{
    /// <summary>True if the text without quotes is a boolean, a number, null or a date to some reader of YAML.</summary>
    public static bool IsNoString(string text) => text.Length == 0 || Words().IsMatch(text) || Number().IsMatch(text);

    public static bool? Boolean(string text) => text switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => null,
    };

    public static long? Integer(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && (text is "0" || text.TrimStart('-')[0] != '0') ? value : null;

    [GeneratedRegex(@"\A(~|null|true|false|yes|no|on|off|y|n)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    /// <summary>Whatever begins as a number and has only characters of numbers and dates.</summary>
    [GeneratedRegex(@"\A[-+.]?([0-9][0-9a-fA-FxXob_.:eE+-]*|inf|nan)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
