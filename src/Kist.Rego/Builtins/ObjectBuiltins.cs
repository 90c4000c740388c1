namespace Kist.Rego.Builtins;

/// <summary>object.*.</summary>
static class ObjectBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("object.get", 3, Get);
        table.Add("object.keys", 1, (c, a) => c.Object(a, 0, out var o) ? RegoSet.OfSorted(o.Keys.ToArray()) : null);
        table.Add("object.remove", 2, (c, a) => c.Object(a, 0, out var o) && Keys(c, a, 1) is { } keys ? Where(o, k => !keys.Contains(k)) : null);
        table.Add("object.filter", 2, (c, a) => c.Object(a, 0, out var o) && Keys(c, a, 1) is { } keys ? Where(o, keys.Contains) : null);
        table.Add("object.union", 2, (c, a) => c.Object(a, 0, out var x) && c.Object(a, 1, out var y) ? Union(c, x, y) : null);
        table.Add("object.union_n", 1, UnionMany);
        table.Add("object.subset", 2, Subset);
    }

    private static RegoValue? Get(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var o))
            return null;
        if (a[1] is not RegoArray path)
            return o.Get(a[1]) ?? a[2];
        // An array is a path; the key [] gives the object itself.
        RegoValue? value = o;
        foreach (var key in path.Items)
        {
            value = value is null ? null : Evaluation.Documents.Get(value, key);
            if (value is null)
                return a[2];
        }

        return value;
    }

    private static HashSet<RegoValue>? Keys(BuiltinContext c, ReadOnlySpan<RegoValue> a, int i)
    {
        switch (a[i])
        {
            case RegoArray array: return [.. array.Items];
            case RegoSet set: return [.. set.Items];
            case RegoObject o: return [.. o.Keys];
            default:
                c.FailType(i, "{object, set, array}", a[i]);
                return null;
        }
    }

    private static RegoObject Where(RegoObject o, Func<RegoValue, bool> keep)
    {
        var result = new RegoObjectBuilder();
        for (var i = 0; i < o.Count; i++)
        {
            if (keep(o.Keys[i]))
                result[o.Keys[i]] = o.Values[i];
        }

        return result.ToObject();
    }

    /// <summary>Entries of both; objects under the same key are merged, otherwise the second wins.</summary>
    private static RegoObject Union(BuiltinContext c, RegoObject x, RegoObject y)
    {
        c.Evaluation.Spend(x.Count + y.Count);
        var result = new RegoObjectBuilder(x);
        for (var i = 0; i < y.Count; i++)
        {
            var (key, value) = (y.Keys[i], y.Values[i]);
            result[key] = value is RegoObject inner && x.Get(key) is RegoObject other ? Union(c, other, inner) : value;
        }

        return result.ToObject();
    }

    private static RegoValue? UnionMany(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Array(a, 0, out var array))
            return null;
        var result = RegoObject.Empty;
        foreach (var item in array.Items)
        {
            if (item is not RegoObject o)
                return c.FailElement(0, array, "object", item);
            result = Union(c, result, o);
        }

        return result;
    }

    private static RegoValue? Subset(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        switch (a[0], a[1])
        {
            case (RegoObject x, RegoObject y): return RegoValue.Of(IsSubset(x, y));
            case (RegoSet x, RegoSet y): return RegoValue.Of(Sets.Intersect(y, x).Count == y.Count);
            case (RegoArray x, RegoArray y): return RegoValue.Of(IsRun(x, y));
            case (RegoArray x, RegoSet y): return RegoValue.Of(Sets.Difference(y, (RegoSet)RegoValue.SetOf(x.Items)).Count == 0);
            default: return c.Fail("both arguments object.subset must be of the same type or array and set");
        }
    }

    private static bool IsSubset(RegoObject super, RegoObject sub)
    {
        Evaluation.RegoEvaluation.Current?.Spend(1);
        for (var i = 0; i < sub.Count; i++)
        {
            var value = super.Get(sub.Keys[i]);
            var same = (value, sub.Values[i]) switch
            {
                (null, _) => false,
                (RegoObject x, RegoObject y) => IsSubset(x, y),
                (RegoSet x, RegoSet y) => Sets.Difference(y, x).Count == 0,
                (RegoArray x, RegoArray y) => IsRun(x, y),
                (RegoArray x, RegoSet y) => Sets.Difference(y, (RegoSet)RegoValue.SetOf(x.Items)).Count == 0,
                (_, var y) => value.Equals(y),
            };
            if (!same)
                return false;
        }

        return true;
    }

    /// <summary>True if one array occurs in the other without gaps.</summary>
    private static bool IsRun(RegoArray super, RegoArray sub)
    {
        for (var i = 0; i + sub.Count <= super.Count; i++)
        {
            if (Sequences.AreEqual(super.Items.Slice(i, sub.Count), sub.Items))
                return true;
        }

        return false;
    }
}
