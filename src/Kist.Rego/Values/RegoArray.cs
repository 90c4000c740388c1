namespace Kist.Rego;

/// <summary>An array.</summary>
public sealed class RegoArray : RegoValue
{
    /// <summary>The array without items.</summary>
    public static readonly RegoArray Empty = new([]);

    private readonly RegoValue[] _items;
    private int _hash;

    private RegoArray(RegoValue[] items)
    {
        _items = items;
        Nesting = Sequences.NestingOf(items);
    }

    internal override int Nesting { get; }

    /// <inheritdoc/>
    public override RegoType Type => RegoType.Array;

    /// <summary>The items.</summary>
    public ReadOnlySpan<RegoValue> Items => _items;

    /// <summary>The number of items.</summary>
    public int Count => _items.Length;

    /// <summary>The item at a position.</summary>
    public RegoValue this[int index] => _items[index];

    /// <summary>Makes an array that owns <paramref name="items"/>: the caller does not touch them again.</summary>
    internal static RegoArray Of(RegoValue[] items) => items.Length == 0 ? Empty : new RegoArray(items);

    /// <summary>Makes an array of a list's items.</summary>
    internal static RegoArray From(List<RegoValue> items) => items.Count == 0 ? Empty : new RegoArray([.. items]);

    /// <summary>The item under a key that is an integer in range; null otherwise.</summary>
    internal RegoValue? Get(RegoValue key) =>
        key is RegoNumber n && n.TryGetInt64(out var i) && (ulong)i < (ulong)_items.Length ? _items[i] : null;

    /// <inheritdoc/>
    public override int CompareTo(RegoValue? other)
    {
        if (other is not RegoArray array)
            return other is null ? 1 : RegoType.Array.CompareTo(other.Type);
        return Sequences.Compare(_items, array._items);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => _hash != 0 ? _hash : _hash = Sequences.Hash(_items, 31);

    private protected override bool EqualsCore(RegoValue other) =>
        other is RegoArray array && Sequences.AreEqual(_items, array._items);
}
