namespace Kist.Rego.Builtins;

/// <summary>Comparison, arithmetic, set operators and <c>in</c>.</summary>
static class OperatorBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("eq", 2, (_, a) => RegoValue.Of(a[0].Equals(a[1])));
        table.Add("equal", 2, (_, a) => RegoValue.Of(a[0].Equals(a[1])));
        table.Add("neq", 2, (_, a) => RegoValue.Of(!a[0].Equals(a[1])));
        table.Add("lt", 2, (_, a) => RegoValue.Of(a[0].CompareTo(a[1]) < 0));
        table.Add("lte", 2, (_, a) => RegoValue.Of(a[0].CompareTo(a[1]) <= 0));
        table.Add("gt", 2, (_, a) => RegoValue.Of(a[0].CompareTo(a[1]) > 0));
        table.Add("gte", 2, (_, a) => RegoValue.Of(a[0].CompareTo(a[1]) >= 0));
        table.Add("plus", 2, (c, a) => c.Number(a, 0, out var x) && c.Number(a, 1, out var y) ? Arithmetic.Add(x, y) : null);
        table.Add("mul", 2, (c, a) => c.Number(a, 0, out var x) && c.Number(a, 1, out var y) ? Arithmetic.Multiply(x, y) : null);
        table.Add("minus", 2, Minus);
        table.Add("div", 2, Divide);
        table.Add("rem", 2, Remainder);
        table.Add("and", 2, (c, a) => c.Set(a, 0, out var x) && c.Set(a, 1, out var y) ? Sets.Intersect(x, y) : null);
        table.Add("or", 2, (c, a) => c.Set(a, 0, out var x) && c.Set(a, 1, out var y) ? Sets.Union(x, y) : null);
        table.Add("internal.member_2", 2, (_, a) => RegoValue.Of(Contains(a[1], null, a[0])));
        table.Add("internal.member_3", 3, (_, a) => RegoValue.Of(Contains(a[2], a[0], a[1])));
        table.Add("abs", 1, (c, a) => c.Number(a, 0, out var x) ? Arithmetic.Absolute(x) : null);
        table.Add("round", 1, (c, a) => c.Number(a, 0, out var x) ? Arithmetic.Round(x) : null);
        table.Add("ceil", 1, (c, a) => c.Number(a, 0, out var x) ? Arithmetic.Ceiling(x) : null);
        table.Add("floor", 1, (c, a) => c.Number(a, 0, out var x) ? Arithmetic.Floor(x) : null);
    }

    private static RegoValue? Minus(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        switch (a[0], a[1])
        {
            case (RegoNumber x, RegoNumber y): return Arithmetic.Subtract(x, y);
            case (RegoSet x, RegoSet y): return Sets.Difference(x, y);
            case (not (RegoNumber or RegoSet), _): return c.FailType(0, "{number, set}", a[0]);
            case (_, RegoNumber): return c.FailType(1, "set", a[1]);
            default: return c.FailType(1, "number", a[1]);
        }
    }

    private static RegoValue? Divide(BuiltinContext c, ReadOnlySpan<RegoValue> a) =>
        c.Number(a, 0, out var x) && c.Number(a, 1, out var y) ? Arithmetic.Divide(x, y) ?? c.Fail("divide by zero") : null;

    private static RegoValue? Remainder(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Number(a, 0, out var x) || !c.Number(a, 1, out var y))
            return null;
        if (!x.TryGetInteger(out var p) || !y.TryGetInteger(out var q))
            return c.Fail("modulo on floating-point number");
        return q.IsZero ? c.Fail("modulo by zero") : Arithmetic.Integer(System.Numerics.BigInteger.Remainder(p, q));
    }

    private static bool Contains(RegoValue collection, RegoValue? key, RegoValue value)
    {
        if (key is not null)
            return Evaluation.Documents.Get(collection, key) is { } found && found.Equals(value);
        switch (collection)
        {
            case RegoSet set: return set.Contains(value);
            case RegoArray array: return Sequence(array.Items, value);
            case RegoObject o: return Sequence(o.Values, value);
            default: return false;
        }
    }

    private static bool Sequence(ReadOnlySpan<RegoValue> items, RegoValue value)
    {
        foreach (var item in items)
        {
            if (item.Equals(value))
                return true;
        }

        return false;
    }
}

/// <summary>Operations on two sets.</summary>
static class Sets
{
    public static RegoSet Intersect(RegoSet a, RegoSet b) => Where(a, b.Contains);

    public static RegoSet Difference(RegoSet a, RegoSet b) => Where(a, i => !b.Contains(i));

    public static RegoSet Union(RegoSet a, RegoSet b)
    {
        var result = new RegoSetBuilder();
        result.AddRange(a.Items);
        result.AddRange(b.Items);
        return result.ToSet();
    }

    private static RegoSet Where(RegoSet set, Func<RegoValue, bool> keep)
    {
        var kept = new List<RegoValue>();
        foreach (var item in set.Items)
        {
            if (keep(item))
                kept.Add(item);
        }

        return RegoSet.OfSorted([.. kept]);
    }
}
