namespace Kist.Rego.Builtins;

/// <summary>net.cidr_*. What would ask a name server is left out.</summary>
static class NetBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("net.cidr_contains", 2, (c, a) => Two(c, a, (x, y) => x.Contains(y)));
        table.Add("net.cidr_overlap", 2, (c, a) => Two(c, a, (x, y) => x.Contains(y)));
        table.Add("net.cidr_intersects", 2, Intersects);
        table.Add("net.cidr_is_valid", 1, (_, a) => RegoValue.Of(a[0] is RegoString s && IpRange.ParseCidr(s.Value) is not null));
        table.Add("net.cidr_expand", 1, Expand);
        table.Add("net.cidr_merge", 1, Merge);
        table.Add("net.cidr_contains_matches", 2, ContainsMatches);
    }

    private static RegoValue? Two(BuiltinContext c, ReadOnlySpan<RegoValue> a, Func<IpRange, IpRange, bool> test)
    {
        if (!c.String(a, 0, out var x) || !c.String(a, 1, out var y))
            return null;
        return RegoValue.Of(test(Cidr(x), AddressOrCidr(y)));
    }

    private static RegoValue? Intersects(BuiltinContext c, ReadOnlySpan<RegoValue> a) =>
        c.String(a, 0, out var x) && c.String(a, 1, out var y) ? RegoValue.Of(Cidr(x).Intersects(Cidr(y))) : null;

    private static IpRange Cidr(string text) => IpRange.ParseCidr(text) ?? throw new FormatException($"invalid CIDR address: {text}");

    private static IpRange AddressOrCidr(string text) =>
        IpRange.ParseAddress(text) ?? IpRange.ParseCidr(text) ?? throw new FormatException($"not a valid textual representation of an IP address or CIDR: {text}");

    private static RegoSet? Expand(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var text))
            return null;
        var range = Cidr(text);
        var addresses = new RegoSetBuilder();
        for (UInt128 i = 0; ; i++)
        {
            c.Evaluation.Tick();
            addresses.Add(new RegoString(IpRange.AddressText(range.First + i, range.IsV6)));
            if (i == range.Span)
                return addresses.ToSet();
        }
    }

    /// <summary>The fewest blocks that hold the same addresses.</summary>
    private static RegoValue? Merge(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Strings(a, 0, out var texts))
            return null;
        var blocks = new SortedSet<IpRange>(Comparer<IpRange>.Create((x, y) =>
            x.IsV6 != y.IsV6 ? x.IsV6.CompareTo(y.IsV6) : x.First != y.First ? x.First.CompareTo(y.First) : x.Prefix.CompareTo(y.Prefix)));
        foreach (var text in texts)
            blocks.Add(IpRange.ParseCidr(text) ?? ClassfulBlock(text));
        var merged = new List<IpRange>();
        foreach (var block in blocks)
        {
            c.Evaluation.Tick();
            if (merged.Count > 0 && merged[^1].Contains(block))
                continue;
            merged.Add(block);
            while (merged.Count > 1 && Join(merged[^2], merged[^1]) is { } joined)
            {
                merged.RemoveRange(merged.Count - 2, 2);
                merged.Add(joined);
            }
        }

        return RegoValue.SetOf([.. merged.Select(m => (RegoValue)new RegoString(m.ToString()))]);
    }

    /// <summary>An IPv4 address without a length is the whole network of its class, as Go has it.</summary>
    private static IpRange ClassfulBlock(string text)
    {
        if (IpRange.ParseAddress(text) is not { } address)
            throw new FormatException($"invalid CIDR address: {text}");
        if (address.IsV6)
            throw new FormatException("IPv6 invalid: needs prefix length");
        var first = (int)(address.First >> 24);
        var prefix = first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : throw new FormatException("IPv4 invalid: needs prefix length");
        return IpRange.ParseCidr($"{text}/{prefix}")!.Value;
    }

    /// <summary>Two halves of one block.</summary>
    private static IpRange? Join(IpRange x, IpRange y)
    {
        if (x.IsV6 != y.IsV6 || x.Prefix != y.Prefix || x.Prefix == 0)
            return null;
        var whole = x with { Prefix = x.Prefix - 1 };
        return IpRange.ParseCidr(whole.ToString()) is { } parent && parent.First == x.First && y.First == x.Last + 1 ? parent : null;
    }

    /// <summary>The keys of all pairs of a block and what it contains.</summary>
    private static RegoValue? ContainsMatches(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (Entries(c, a, 0) is not { } blocks || Entries(c, a, 1) is not { } items)
            return null;
        var matches = new RegoSetBuilder();
        foreach (var (blockKey, block) in blocks)
        {
            foreach (var (itemKey, item) in items)
            {
                c.Evaluation.Tick();
                if (Cidr(block).Contains(AddressOrCidr(item)))
                    matches.Add(RegoArray.Of([blockKey, itemKey]));
            }
        }

        return matches.ToSet();
    }

    private static List<(RegoValue Key, string Text)>? Entries(BuiltinContext c, ReadOnlySpan<RegoValue> a, int i)
    {
        if (a[i] is RegoString one)
            return [(one, one.Value)];
        if (a[i] is not (RegoArray or RegoSet or RegoObject))
        {
            c.FailType(i, "{string, array, object, set}", a[i]);
            return null;
        }

        var entries = new List<(RegoValue, string)>();
        foreach (var (key, value) in Evaluation.Items.Of(a[i]))
        {
            var text = value is RegoArray { Count: > 0 } tuple ? tuple[0] : value;
            if (text is not RegoString s)
            {
                c.FailOperand(i, "element must be string or non-empty array");
                return null;
            }

            entries.Add((a[i] is RegoSet ? value : key, s.Value));
        }

        return entries;
    }
}
