namespace Kist.Rego;

/// <summary>The size of values as they would be written out: parts that are shared count each time.</summary>
static class ValueSize
{
    /// <summary>The most parts of a result.</summary>
    public const int MaxResult = 4_000_000;

    /// <summary>The most parts of a value that a trace keeps.</summary>
    public const int MaxTraced = 10_000;

    public static bool IsWithin(RegoValue value, int limit) => Subtract(value, limit) >= 0;

    private static int Subtract(RegoValue value, int left)
    {
        left--;
        switch (value)
        {
            case RegoArray array:
                return Subtract(array.Items, left);
            case RegoSet set:
                return Subtract(set.Items, left);
            case RegoObject o:
                return Subtract(o.Values, Subtract(o.Keys, left));
            default:
                return left;
        }
    }

    private static int Subtract(ReadOnlySpan<RegoValue> items, int left)
    {
        for (var i = 0; i < items.Length && left >= 0; i++)
            left = Subtract(items[i], left);
        return left;
    }
}
