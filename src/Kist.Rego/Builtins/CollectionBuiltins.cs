namespace Kist.Rego.Builtins;

/// <summary>array.*, sets of sets, walk.</summary>
static class CollectionBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("array.concat", 2, (c, a) => c.Array(a, 0, out var x) && c.Array(a, 1, out var y) ? Concat(c, x, y) : null);
        table.Add("array.slice", 3, Slice);
        table.Add("array.reverse", 1, Reverse);
        table.Add("array.flatten", 1, Flatten);
        table.Add("intersection", 1, Intersection);
        table.Add("union", 1, Union);
        table.Add("set_diff", 2, (c, a) => c.Set(a, 0, out var x) && c.Set(a, 1, out var y) ? Sets.Difference(x, y) : null);
        table.AddRelation("walk", 1, Walk);
    }

    private static RegoArray Concat(BuiltinContext c, RegoArray x, RegoArray y)
    {
        c.Evaluation.Spend(x.Count + y.Count);
        return RegoArray.Of([.. x.Items, .. y.Items]);
    }

    private static RegoArray? Slice(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Array(a, 0, out var array) || !c.Integer(a, 1, out var from) || !c.Integer(a, 2, out var to))
            return null;
        var start = (int)System.Numerics.BigInteger.Max(0, System.Numerics.BigInteger.Min(from, array.Count));
        var stop = (int)System.Numerics.BigInteger.Max(0, System.Numerics.BigInteger.Min(to, array.Count));
        return start >= stop ? RegoArray.Empty : RegoArray.Of(array.Items[start..stop].ToArray());
    }

    private static RegoArray? Reverse(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Array(a, 0, out var array))
            return null;
        var items = array.Items.ToArray();
        Array.Reverse(items);
        return RegoArray.Of(items);
    }

    private static RegoArray? Flatten(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Array(a, 0, out var array))
            return null;
        var items = new List<RegoValue>();
        foreach (var item in array.Items)
        {
            if (item is RegoArray inner)
                items.AddRange(inner.Items);
            else
                items.Add(item);
        }

        c.Evaluation.Spend(items.Count);
        return RegoArray.From(items);
    }

    private static RegoSet? Intersection(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Set(a, 0, out var sets))
            return null;
        RegoSet? result = null;
        foreach (var item in sets.Items)
        {
            if (item is not RegoSet set)
                return (RegoSet?)c.FailElement(0, a[0], "set", item);
            result = result is null ? set : Sets.Intersect(result, set);
        }

        return result ?? RegoSet.Empty;
    }

    private static RegoSet? Union(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Set(a, 0, out var sets))
            return null;
        var result = new RegoSetBuilder();
        foreach (var item in sets.Items)
        {
            if (item is not RegoSet set)
                return (RegoSet?)c.FailElement(0, a[0], "set", item);
            result.AddRange(set.Items);
        }

        return result.ToSet();
    }

    /// <summary>Every value inside a value, with the path to it: <c>[path, value]</c>.</summary>
    private static RegoArray Walk(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        var results = new List<RegoValue>();
        Walk(c, a[0], [], results);
        return RegoArray.From(results);
    }

    private static void Walk(BuiltinContext c, RegoValue value, List<RegoValue> path, List<RegoValue> results)
    {
        c.Evaluation.Tick();
        results.Add(RegoArray.Of([RegoArray.From(path), value]));
        if (value is not (RegoArray or RegoObject or RegoSet))
            return;
        foreach (var (key, item) in Evaluation.Items.Of(value))
        {
            path.Add(key);
            Walk(c, item, path, results);
            path.RemoveAt(path.Count - 1);
        }
    }
}
