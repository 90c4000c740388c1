using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Strings. Positions and lengths count code points.</summary>
static partial class StringBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("concat", 2, Concat);
        table.Add("contains", 2, Test((s, t) => s.Contains(t, StringComparison.Ordinal)));
        table.Add("startswith", 2, Test((s, t) => s.StartsWith(t, StringComparison.Ordinal)));
        table.Add("endswith", 2, Test((s, t) => s.EndsWith(t, StringComparison.Ordinal)));
        table.Add("lower", 1, Map(s => s.ToLowerInvariant()));
        table.Add("upper", 1, Map(s => s.ToUpperInvariant()));
        table.Add("strings.reverse", 1, Map(CodePoints.Reverse));
        table.Add("trim_space", 1, Map(s => s.Trim()));
        table.Add("trim", 2, Map2(Trim));
        table.Add("trim_left", 2, Map2(TrimLeft));
        table.Add("trim_right", 2, Map2(TrimRight));
        table.Add("trim_prefix", 2, Map2((s, t) => s.StartsWith(t, StringComparison.Ordinal) ? s[t.Length..] : s));
        table.Add("trim_suffix", 2, Map2((s, t) => s.EndsWith(t, StringComparison.Ordinal) ? s[..^t.Length] : s));
        table.Add("split", 2, Split);
        table.Add("strings.split_n", 3, SplitN);
        table.Add("replace", 3, Replace);
        table.Add("strings.replace_n", 2, ReplaceMany);
        table.Add("substring", 3, Substring);
        table.Add("indexof", 2, IndexOf);
        table.Add("indexof_n", 2, IndexOfAll);
        table.Add("strings.count", 2, CountOf);
        table.Add("strings.any_prefix_match", 2, (c, a) => AnyMatch(c, a, (s, t) => s.StartsWith(t, StringComparison.Ordinal)));
        table.Add("strings.any_suffix_match", 2, (c, a) => AnyMatch(c, a, (s, t) => s.EndsWith(t, StringComparison.Ordinal)));
        table.Add("format_int", 2, FormatInt);
        table.Add("sprintf", 2, (c, a) => c.String(a, 0, out var format) && c.Array(a, 1, out var items) ? c.Text(GoFormat.Format(format, items, c)) : null);
    }

    private static BuiltinBody Test(Func<string, string, bool> test) =>
        (c, a) => c.String(a, 0, out var s) && c.String(a, 1, out var t) ? RegoValue.Of(test(s, t)) : null;

    private static BuiltinBody Map(Func<string, string> map) => (c, a) => c.String(a, 0, out var s) ? c.Text(map(s)) : null;

    private static BuiltinBody Map2(Func<string, string, string> map) =>
        (c, a) => c.String(a, 0, out var s) && c.String(a, 1, out var t) ? c.Text(map(s, t)) : null;

    private static RegoValue? Concat(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var separator) || !c.Strings(a, 1, out var parts))
            return null;
        var length = (long)separator.Length * parts.Length;
        foreach (var part in parts)
            length += part.Length;
        c.Evaluation.Charge(length * 2);
        return new RegoString(string.Join(separator, parts));
    }

    private static string Trim(string s, string cut) => TrimLeft(TrimRight(s, cut), cut);

    private static string TrimLeft(string s, string cut)
    {
        var set = cut.EnumerateRunes().ToHashSet();
        var i = 0;
        while (i < s.Length && Rune.TryGetRuneAt(s, i, out var rune) && set.Contains(rune))
            i += rune.Utf16SequenceLength;
        return s[i..];
    }

    private static string TrimRight(string s, string cut)
    {
        var set = cut.EnumerateRunes().ToHashSet();
        var end = s.Length;
        while (end > 0 && Rune.DecodeLastFromUtf16(s.AsSpan(0, end), out var rune, out var length) == System.Buffers.OperationStatus.Done && set.Contains(rune))
            end -= length;
        return s[..end];
    }

    private static RegoArray? Split(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var s) || !c.String(a, 1, out var separator))
            return null;
        c.Evaluation.Spend(s.Length);
        IEnumerable<string> parts = separator.Length == 0 ? CodePoints.Split(s) : s.Split(separator);
        return RegoArray.Of(parts.Select(p => (RegoValue)new RegoString(p)).ToArray());
    }

    /// <summary>The first parts, or for a negative number the last ones.</summary>
    private static RegoArray? SplitN(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out _) || !c.String(a, 1, out _) || !c.Int32(a, 2, out var count) || Split(c, a[..2]) is not { } parts)
            return null;
        var kept = Math.Min(Math.Abs((long)count), parts.Count);
        return RegoArray.Of((count >= 0 ? parts.Items[..(int)kept] : parts.Items[(int)(parts.Count - kept)..]).ToArray());
    }

    private static RegoValue? Replace(BuiltinContext c, ReadOnlySpan<RegoValue> a) =>
        c.String(a, 0, out var s) && c.String(a, 1, out var old) && c.String(a, 2, out var by) ? c.Text(ReplaceAll(c, s, old, by)) : null;

    /// <summary>As Go: an empty text is found before each code point and at the end.</summary>
    private static string ReplaceAll(BuiltinContext c, string s, string old, string by)
    {
        c.Evaluation.Spend(s.Length);
        c.Evaluation.Charge(2L * s.Length * Math.Max(1, by.Length / Math.Max(1, old.Length)));
        return old.Length > 0 ? s.Replace(old, by, StringComparison.Ordinal) : by + string.Concat(CodePoints.Split(s).Select(p => p + by));
    }

    /// <summary>Replaces by several pairs in one pass; at each place the first key in order that matches counts.</summary>
    private static RegoValue? ReplaceMany(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var pairs) || !c.String(a, 1, out var s))
            return null;
        var replacements = new List<(string Old, string By)>();
        for (var i = 0; i < pairs.Count; i++)
        {
            if (pairs.Keys[i] is not RegoString key)
                return c.FailOperand(0, "non-string key found in pattern object");
            if (pairs.Values[i] is not RegoString value)
                return c.FailOperand(0, "non-string value found in pattern object");
            replacements.Add((key.Value, value.Value));
        }

        return c.Text(ReplaceAll(c, s, replacements));
    }

    private static string ReplaceAll(BuiltinContext c, string s, List<(string Old, string By)> replacements)
    {
        var text = new StringBuilder();
        var wasEmpty = false;
        for (var i = 0; i <= s.Length;)
        {
            c.Evaluation.Spend(replacements.Count);
            c.Evaluation.Charge(2L * text.Length);
            // An empty key is found at every place once; then what is there is looked at without it.
            var match = replacements.FindIndex(r => !(wasEmpty && r.Old.Length == 0) && s.AsSpan(i).StartsWith(r.Old));
            wasEmpty = match >= 0 && replacements[match].Old.Length == 0;
            if (match >= 0)
            {
                text.Append(replacements[match].By);
                i += replacements[match].Old.Length;
                continue;
            }

            if (i < s.Length)
                text.Append(s[i]);
            i++;
        }

        return text.ToString();
    }

    private static RegoValue? Substring(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var s) || !c.Int32(a, 1, out var offset) || !c.Int32(a, 2, out var length))
            return null;
        if (offset < 0)
            return c.Fail("negative offset");
        var start = CodePoints.Offset(s, offset);
        var rest = s[start..];
        return new RegoString(length < 0 ? rest : rest[..CodePoints.Offset(rest, length)]);
    }

    private static RegoValue? IndexOf(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var s) || !c.String(a, 1, out var search))
            return null;
        if (search.Length == 0)
            return c.Fail("empty search character");
        var i = s.IndexOf(search, StringComparison.Ordinal);
        return RegoNumber.FromInt64(i < 0 ? -1 : CodePoints.Count(s.AsSpan(0, i)));
    }

    private static RegoValue? IndexOfAll(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var s) || !c.String(a, 1, out var search))
            return null;
        if (search.Length == 0)
            return c.Fail("empty search character");
        var found = new List<RegoValue>();
        for (var i = s.IndexOf(search, StringComparison.Ordinal); i >= 0; i = s.IndexOf(search, i + 1, StringComparison.Ordinal))
        {
            c.Evaluation.Spend(i);
            found.Add(RegoNumber.FromInt64(CodePoints.Count(s.AsSpan(0, i))));
        }

        return RegoArray.From(found);
    }

    private static RegoValue? CountOf(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var s) || !c.String(a, 1, out var search))
            return null;
        if (search.Length == 0)
            return RegoNumber.FromInt64(CodePoints.Count(s) + 1);
        return RegoNumber.FromInt64(s.AsSpan().Count(search));
    }

    private static RegoValue? AnyMatch(BuiltinContext c, ReadOnlySpan<RegoValue> a, Func<string, string, bool> test)
    {
        if (OneOrMore(c, a, 0) is not { } texts || OneOrMore(c, a, 1) is not { } parts)
            return null;
        c.Evaluation.Spend((long)texts.Length * parts.Length);
        return RegoValue.Of(texts.Any(t => parts.Any(p => test(t, p))));
    }

    private static string[]? OneOrMore(BuiltinContext c, ReadOnlySpan<RegoValue> a, int i)
    {
        if (a[i] is RegoString s)
            return [s.Value];
        if (a[i] is RegoArray or RegoSet)
            return c.Strings(a, i, out var strings) ? strings : null;
        c.FailType(i, "{string, set, array}", a[i]);
        return null;
    }

    private static RegoValue? FormatInt(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Number(a, 0, out var number) || !c.Number(a, 1, out var basis))
            return null;
        if (!basis.TryGetInt64(out var radix) || radix is not (2 or 8 or 10 or 16))
            return c.FailOperand(1, "must be one of {2, 8, 10, 16}");
        var value = number.TryGetInteger(out var integer) ? integer : BinaryFloat.Of(number).Truncate();
        return c.Text(GoFormat.Integer(value, (int)radix));
    }
}
