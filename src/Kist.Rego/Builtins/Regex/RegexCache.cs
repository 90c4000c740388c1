using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Kist.Rego.Builtins;

/// <summary>Compiled regular expressions, shared by all evaluations. They match in time linear in the text.</summary>
static class RegexCache
{
    private const int MaxPatternLength = 20_000;
    private const int MaxEntries = 512;

    private static readonly ConcurrentDictionary<string, System.Text.RegularExpressions.Regex> Entries = new(StringComparer.Ordinal);

    /// <summary>The expression of an RE2 pattern.</summary>
    /// <exception cref="FormatException">It is not RE2, or too large.</exception>
    public static System.Text.RegularExpressions.Regex Get(string pattern)
    {
        if (Entries.TryGetValue(pattern, out var regex))
            return regex;
        if (pattern.Length > MaxPatternLength)
            throw new FormatException("error parsing regexp: the expression is too long");
        regex = Create(pattern);
        if (Entries.Count >= MaxEntries)
            Entries.Clear();
        Entries[pattern] = regex;
        return regex;
    }

    private static System.Text.RegularExpressions.Regex Create(string pattern)
    {
        try
        {
            return new System.Text.RegularExpressions.Regex(
                RegexTranslator.Translate(pattern),
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant,
                TimeSpan.FromSeconds(2));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"error parsing regexp: {e.Message}", e);
        }
    }
}
