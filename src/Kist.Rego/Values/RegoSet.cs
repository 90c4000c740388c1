namespace Kist.Rego;

/// <summary>A set of values, kept sorted.</summary>
public sealed class RegoSet : RegoValue
{
    /// <summary>The set without items.</summary>
    public static readonly RegoSet Empty = new([]);

    private const int SearchByHashFrom = 9;

    private readonly RegoValue[] _items;
    private HashSet<RegoValue>? _index;
    private int _hash;

    private RegoSet(RegoValue[] items)
    {
        _items = items;
        Nesting = Sequences.NestingOf(items);
    }

    internal override int Nesting { get; }

    /// <inheritdoc/>
    public override RegoType Type => RegoType.Set;

    /// <summary>The number of items.</summary>
    public int Count => _items.Length;

    /// <summary>The items, in order.</summary>
    public ReadOnlySpan<RegoValue> Items => _items;

    /// <summary>True if the value is in the set.</summary>
    public bool Contains(RegoValue value)
    {
        if (_items.Length >= SearchByHashFrom)
            return (_index ??= [.. _items]).Contains(value);
        foreach (var item in _items)
        {
            if (item.Equals(value))
                return true;
        }

        return false;
    }

    /// <summary>Makes a set that owns the array; items are sorted and distinct.</summary>
    internal static RegoSet OfSorted(RegoValue[] items) => items.Length == 0 ? Empty : new RegoSet(items);

    /// <inheritdoc/>
    public override int CompareTo(RegoValue? other)
    {
        if (other is not RegoSet set)
            return other is null ? 1 : RegoType.Set.CompareTo(other.Type);
        return Sequences.Compare(_items, set._items);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => _hash != 0 ? _hash : _hash = Sequences.Hash(_items, 43);

    private protected override bool EqualsCore(RegoValue other) =>
        other is RegoSet set && Sequences.AreEqual(_items, set._items);
}
