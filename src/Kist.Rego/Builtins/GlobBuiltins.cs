using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kist.Rego.Builtins;

/// <summary>glob.match and glob.quote_meta.</summary>
static class GlobBuiltins
{
    private const int MaxPatternLength = 10_000;
    private const int MaxEntries = 512;

    private static readonly ConcurrentDictionary<(string, string), System.Text.RegularExpressions.Regex> Cache = new();

    public static void Register(Registry table)
    {
        table.Add("glob.match", 3, Match);
        table.Add("glob.quote_meta", 1, (c, a) => c.String(a, 0, out var s) ? c.Text(string.Concat(s.Select(ch => @"*?\[]{}".Contains(ch) ? $"\\{ch}" : ch.ToString()))) : null);
    }

    private static RegoValue? Match(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var pattern) || !c.String(a, 2, out var text))
            return null;
        string separators;
        switch (a[1])
        {
            case RegoNull:
                separators = "";
                break;
            case RegoArray:
                if (!c.Strings(a, 1, out var strings))
                    return null;
                if (strings.FirstOrDefault(s => CodePoints.Count(s) != 1) is { } bad)
                    return c.Fail($"delimiter must be a single character: {bad}");
                separators = strings.Length == 0 ? "." : string.Concat(strings);
                break;
            default:
                return c.FailType(1, "{array, null}", a[1]);
        }

        c.Evaluation.Spend(text.Length);
        return RegoValue.Of(Get(pattern, separators).IsMatch(text));
    }

    private static System.Text.RegularExpressions.Regex Get(string pattern, string separators)
    {
        if (Cache.TryGetValue((pattern, separators), out var regex))
            return regex;
        if (pattern.Length > MaxPatternLength)
            throw new FormatException("the pattern is too long");
        regex = new System.Text.RegularExpressions.Regex(
            new GlobTranslator(pattern, separators).Translate(), RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
        if (Cache.Count >= MaxEntries)
            Cache.Clear();
        Cache[(pattern, separators)] = regex;
        return regex;
    }

    /// <summary>Globs to regular expressions.</summary>
    private sealed class GlobTranslator(string pattern, string separators)
    {
        private const int MaxDepth = 50;

        private readonly StringBuilder _result = new("\\A(?:");
        private readonly string _one = separators.Length == 0 ? "." : $"[^{string.Concat(separators.Select(Escape))}]";
        private int _i;
        private int _depth;

        public string Translate()
        {
            for (; _i < pattern.Length; _i++)
                Next(pattern[_i]);
            if (_depth > 0)
                throw new FormatException("unclosed {");
            return _result.Append(")\\z").ToString();
        }

        private void Next(char ch)
        {
            switch (ch)
            {
                case '*':
                    var isSuper = _i + 1 < pattern.Length && pattern[_i + 1] == '*';
                    while (_i + 1 < pattern.Length && pattern[_i + 1] == '*')
                        _i++;
                    _result.Append(isSuper ? "." : _one).Append('*');
                    break;
                case '?':
                    _result.Append(_one);
                    break;
                case '[':
                    Class();
                    break;
                case '{':
                    if (++_depth > MaxDepth)
                        throw new FormatException("the pattern is nested too deeply");
                    _result.Append("(?:");
                    break;
                case '}' when _depth > 0:
                    _depth--;
                    _result.Append(')');
                    break;
                case ',' when _depth > 0:
                    _result.Append('|');
                    break;
                case '\\' when _i + 1 < pattern.Length:
                    _result.Append(Escape(pattern[++_i]));
                    break;
                default:
                    _result.Append(Escape(ch));
                    break;
            }
        }

        private void Class()
        {
            var end = pattern.IndexOf(']', _i + 1);
            if (end < 0)
                throw new FormatException("unclosed [");
            var content = pattern[(_i + 1)..end];
            var negated = content.StartsWith('!');
            content = negated ? content[1..] : content;
            if (content.Length == 0)
                throw new FormatException("empty []");
            var items = content is [var low, '-', var high] ? high < low ? throw new FormatException("invalid range") : $"{Escape(low)}-{Escape(high)}" : string.Concat(content.Select(Escape));
            _result.Append(negated ? "[^" : "[").Append(items).Append(']');
            _i = end;
        }

        private static string Escape(char ch) => $"\\u{((int)ch).ToString("X4", CultureInfo.InvariantCulture)}";
    }
}
