namespace Kist.Rego;

/// <summary>Comparison, equality and hashing of runs of values.</summary>
static class Sequences
{
    /// <summary>The deepest nesting of collections. Comparison, hashing and writing recurse, so that it is bounded.</summary>
    private const int MaxNesting = 1024;

    /// <summary>The nesting of a collection of these items.</summary>
    /// <exception cref="RegoException">eval_limit_error: too deep.</exception>
    public static int NestingOf(ReadOnlySpan<RegoValue> items)
    {
        var deepest = 0;
        foreach (var item in items)
            deepest = Math.Max(deepest, item.Nesting);
        if (deepest >= MaxNesting)
            throw new RegoException(RegoErrorCode.Limit, $"values are nested more than {MaxNesting} deep", default);
        return deepest + 1;
    }

    public static int Compare(ReadOnlySpan<RegoValue> a, ReadOnlySpan<RegoValue> b)
    {
        Evaluation.RegoEvaluation.Current?.Spend(1);
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
        {
            if (ReferenceEquals(a[i], b[i]))
                continue;
            var order = a[i].CompareTo(b[i]);
            if (order != 0)
                return order;
        }

        return a.Length.CompareTo(b.Length);
    }

    public static bool AreEqual(ReadOnlySpan<RegoValue> a, ReadOnlySpan<RegoValue> b)
    {
        if (a.Length != b.Length)
            return false;
        Evaluation.RegoEvaluation.Current?.Spend(1);
        for (var i = 0; i < a.Length; i++)
        {
            if (!a[i].Equals(b[i]))
                return false;
        }

        return true;
    }

    /// <summary>Sorts keys, and values with them if there are any.</summary>
    /// <exception cref="RegoException">eval_limit_error: comparing took too much.</exception>
    public static void Sort(RegoValue[] keys, RegoValue[]? values = null)
    {
        if (keys.Length < 2)
            return;
        try
        {
            Array.Sort(keys, values);
        }
        catch (InvalidOperationException e) when (e.InnerException is RegoException limit)
        {
            // Array.Sort wraps what a comparison throws.
            throw new RegoException(limit.Errors, e);
        }
    }

    public static int Hash(ReadOnlySpan<RegoValue> items, int seed)
    {
        var hash = new HashCode();
        hash.Add(seed);
        foreach (var item in items)
            hash.Add(item.GetHashCode());
        var result = hash.ToHashCode();
        return result == 0 ? seed : result;
    }
}
