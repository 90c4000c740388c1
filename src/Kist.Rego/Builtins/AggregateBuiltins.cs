namespace Kist.Rego.Builtins;

/// <summary>count, sum, product, min, max, sort, and the deprecated any and all.</summary>
static class AggregateBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("count", 1, Count);
        table.Add("sum", 1, (c, a) => Fold(c, a, RegoNumber.FromInt64(0), Arithmetic.Add));
        table.Add("product", 1, (c, a) => Fold(c, a, RegoNumber.FromInt64(1), Arithmetic.Multiply));
        table.Add("min", 1, (c, a) => Extreme(c, a, -1));
        table.Add("max", 1, (c, a) => Extreme(c, a, 1));
        table.Add("sort", 1, Sort);
        table.Add("any", 1, (c, a) => c.ArrayOrSet(a, 0, out var items) ? RegoValue.Of(items.Contains(RegoValue.True)) : null);
        table.Add("all", 1, All);
    }

    private static RegoValue? Count(BuiltinContext c, ReadOnlySpan<RegoValue> a) => a[0] switch
    {
        RegoArray array => RegoNumber.FromInt64(array.Count),
        RegoObject o => RegoNumber.FromInt64(o.Count),
        RegoSet set => RegoNumber.FromInt64(set.Count),
        RegoString s => RegoNumber.FromInt64(CodePoints.Count(s.Value)),
        _ => c.FailType(0, "{array, object, set, string}", a[0]),
    };

    private static RegoValue? Fold(BuiltinContext c, ReadOnlySpan<RegoValue> a, RegoNumber start, Func<RegoNumber, RegoNumber, RegoNumber> combine)
    {
        if (!c.ArrayOrSet(a, 0, out var items))
            return null;
        c.Evaluation.Spend(items.Length);
        var result = start;
        foreach (var item in items)
        {
            if (item is not RegoNumber n)
                return c.FailElement(0, a[0], "number", item);
            result = combine(result, n);
        }

        return result;
    }

    private static RegoValue? Extreme(BuiltinContext c, ReadOnlySpan<RegoValue> a, int sign)
    {
        if (!c.ArrayOrSet(a, 0, out var items) || items.Length == 0)
            return null;
        var best = items[0];
        foreach (var item in items)
        {
            if (Math.Sign(item.CompareTo(best)) == sign)
                best = item;
        }

        return best;
    }

    private static RegoArray? Sort(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.ArrayOrSet(a, 0, out var items))
            return null;
        c.Evaluation.Spend(items.Length);
        var sorted = items.ToArray();
        Sequences.Sort(sorted);
        return RegoArray.Of(sorted);
    }

    private static RegoValue? All(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.ArrayOrSet(a, 0, out var items))
            return null;
        foreach (var item in items)
        {
            if (!item.IsTrue)
                return RegoValue.False;
        }

        return RegoValue.True;
    }
}
