using System.Text;
using System.Text.RegularExpressions;

namespace Kist.Rego.Builtins;

/// <summary>regex.*: RE2 syntax and semantics.</summary>
static class RegexBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("regex.is_valid", 1, (_, a) => RegoValue.Of(a[0] is RegoString s && IsValid(s.Value)));
        table.Add("regex.match", 2, Match);
        table.Add("re_match", 2, Match);
        table.Add("regex.split", 2, Split);
        table.Add("regex.find_n", 3, Find);
        table.Add("regex.find_all_string_submatch_n", 3, FindGroups);
        table.Add("regex.replace", 3, Replace);
        table.Add("regex.template_match", 4, TemplateMatch);
        table.Add("regex.globs_match", 2, (c, a) => c.String(a, 0, out var x) && c.String(a, 1, out var y) ? RegoValue.Of(GlobIntersection.Intersect(x, y, c)) : null);
    }

    private static bool IsValid(string pattern)
    {
        try
        {
            RegexCache.Get(pattern);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static RegoValue? Match(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var pattern) || !c.String(a, 1, out var text))
            return null;
        c.Evaluation.Spend(text.Length);
        return RegoValue.Of(RegexCache.Get(pattern).IsMatch(text));
    }

    private static RegoValue? Split(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var pattern) || !c.String(a, 1, out var text))
            return null;
        var parts = new List<RegoValue>();
        var regex = RegexCache.Get(pattern);
        if (text.Length == 0 && pattern.Length > 0)
            return RegoArray.Of([RegoString.Empty]);
        var (begin, end) = (0, 0);
        foreach (var match in Matches(c, regex, text, int.MaxValue))
        {
            // As Go: an empty match at the very beginning splits nothing off.
            end = match.Index;
            if (match.Index + match.Length != 0)
                parts.Add(new RegoString(text[begin..end]));
            begin = match.Index + match.Length;
        }

        if (end != text.Length)
            parts.Add(new RegoString(text[begin..]));
        return RegoArray.From(parts);
    }

    /// <summary>The matches that Go finds: an empty match right after another match does not count.</summary>
    private static IEnumerable<Match> Matches(BuiltinContext c, System.Text.RegularExpressions.Regex regex, string text, int most)
    {
        var previousEnd = -1;
        c.Evaluation.Spend(text.Length);
        for (var match = regex.Match(text); match.Success && most > 0; match = match.NextMatch())
        {
            c.Evaluation.Spend(16);
            if (match.Length == 0 && match.Index == previousEnd)
                continue;
            previousEnd = match.Index + match.Length;
            most--;
            yield return match;
        }
    }

    private static RegoValue? Find(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var pattern) || !c.String(a, 1, out var text) || !c.Int32(a, 2, out var count))
            return null;
        var found = Matches(c, RegexCache.Get(pattern), text, count < 0 ? int.MaxValue : count);
        return RegoArray.Of(found.Select(m => (RegoValue)new RegoString(m.Value)).ToArray());
    }

    private static RegoValue? FindGroups(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var pattern) || !c.String(a, 1, out var text) || !c.Int32(a, 2, out var count))
            return null;
        var found = Matches(c, RegexCache.Get(pattern), text, count < 0 ? int.MaxValue : count);
        return RegoArray.Of(found.Select(m => (RegoValue)RegoArray.Of(m.Groups.Values.Select(g => (RegoValue)new RegoString(g.Value)).ToArray())).ToArray());
    }

    private static RegoValue? Replace(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var text) || !c.String(a, 1, out var pattern) || !c.String(a, 2, out var replacement))
            return null;
        var regex = RegexCache.Get(pattern);
        var result = new StringBuilder();
        var position = 0;
        foreach (var match in Matches(c, regex, text, int.MaxValue))
        {
            result.Append(text, position, match.Index - position);
            Expand(result, replacement, match, GroupNames(pattern));
            position = match.Index + match.Length;
            c.Evaluation.Charge(result.Length * 2L);
        }

        return c.Text(result.Append(text, position, text.Length - position).ToString());
    }

    /// <summary>Names of groups by number, as the pattern writes them.</summary>
    private static Dictionary<string, int> GroupNames(string pattern)
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var number = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
                i++;
            else if (pattern[i] == '[')
                i = Math.Max(i, pattern.IndexOf(']', Math.Min(i + 2, pattern.Length)));
            else if (pattern[i] == '(' && (i + 1 >= pattern.Length || pattern[i + 1] != '?'))
                number++;
            else if (pattern[i] == '(' && pattern.IndexOf('>', i) is > 0 and var end && (pattern.AsSpan(i).StartsWith("(?P<") || pattern.AsSpan(i).StartsWith("(?<")))
                names.TryAdd(pattern[(pattern.IndexOf('<', i) + 1)..end], ++number);
        }

        return names;
    }

    /// <summary>Go's templates: <c>$1</c>, <c>${1}</c>, <c>$name</c>, <c>$$</c>.</summary>
    private static void Expand(StringBuilder result, string template, Match match, Dictionary<string, int> names)
    {
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] != '$' || i + 1 == template.Length)
            {
                result.Append(template[i]);
                continue;
            }

            if (template[i + 1] == '$')
            {
                result.Append('$');
                i++;
                continue;
            }

            var braced = template[i + 1] == '{';
            var start = i + (braced ? 2 : 1);
            var end = start;
            while (end < template.Length && (char.IsAsciiLetterOrDigit(template[end]) || template[end] == '_'))
                end++;
            if (end == start || (braced && (end == template.Length || template[end] != '}')))
            {
                result.Append('$');
                continue;
            }

            var name = template[start..end];
            var number = int.TryParse(name, out var n) ? n : names.GetValueOrDefault(name, -1);
            if (number >= 0 && number < match.Groups.Count)
                result.Append(match.Groups[number].Value);
            i = braced ? end : end - 1;
        }
    }

    /// <summary>A text with expressions between delimiters, matched as a whole.</summary>
    private static RegoValue? TemplateMatch(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var template) || !c.String(a, 1, out var text) || !c.String(a, 2, out var open) || !c.String(a, 3, out var close))
            return null;
        if (CodePoints.Count(open) != 1)
            return c.Fail("start delimiter has to be exactly one character long but is " + CodePoints.Count(open));
        if (CodePoints.Count(close) != 1)
            return c.Fail("end delimiter has to be exactly one character long but is " + CodePoints.Count(close));
        var pattern = new StringBuilder("^");
        var position = 0;
        foreach (var (start, end) in Sections(template, open, close))
        {
            pattern.Append(QuoteMeta(template[position..start])).Append('(').Append(template[(start + open.Length)..(end - close.Length)]).Append(')');
            position = end;
        }

        pattern.Append(QuoteMeta(template[position..])).Append('$');
        c.Evaluation.Spend(text.Length);
        return RegoValue.Of(RegexCache.Get(pattern.ToString()).IsMatch(text));
    }

    private static List<(int Start, int End)> Sections(string template, string open, string close)
    {
        var sections = new List<(int, int)>();
        var (depth, start) = (0, 0);
        for (var i = 0; i < template.Length; i++)
        {
            if (string.CompareOrdinal(template, i, open, 0, open.Length) == 0)
            {
                if (depth++ == 0)
                    start = i;
            }
            else if (string.CompareOrdinal(template, i, close, 0, close.Length) == 0)
            {
                if (--depth == 0)
                    sections.Add((start, i + close.Length));
                else if (depth < 0)
                    throw new FormatException($"unbalanced braces in \"{template}\"");
            }
        }

        return depth == 0 ? sections : throw new FormatException($"unbalanced braces in \"{template}\"");
    }

    private static string QuoteMeta(string text) =>
        string.Concat(text.Select(ch => @"\.+*?()|[]{}^$".Contains(ch) ? $"\\{ch}" : ch.ToString()));
}
