namespace Kist.Rego;

/// <summary>Collects entries and makes an object of them.</summary>
sealed class RegoObjectBuilder
{
    private readonly Dictionary<RegoValue, RegoValue> _entries;

    public RegoObjectBuilder(int capacity = 0) => _entries = new(capacity);

    public RegoObjectBuilder(RegoObject from)
        : this(from.Count)
    {
        for (var i = 0; i < from.Count; i++)
            _entries.Add(from.Keys[i], from.Values[i]);
    }

    public int Count => _entries.Count;

    public RegoValue this[RegoValue key]
    {
        set => _entries[key] = value;
    }

    public RegoValue? Get(RegoValue key) => _entries.GetValueOrDefault(key);

    public bool Remove(RegoValue key) => _entries.Remove(key);

    public RegoObject ToObject()
    {
        var keys = new RegoValue[_entries.Count];
        var values = new RegoValue[_entries.Count];
        _entries.Keys.CopyTo(keys, 0);
        _entries.Values.CopyTo(values, 0);
        Sequences.Sort(keys, values);
        return RegoObject.OfSorted(keys, values);
    }
}

/// <summary>Collects items and makes a set of them.</summary>
sealed class RegoSetBuilder
{
    private readonly HashSet<RegoValue> _items = [];

    public int Count => _items.Count;

    public bool Add(RegoValue item) => _items.Add(item);

    public void AddRange(ReadOnlySpan<RegoValue> items)
    {
        foreach (var item in items)
            _items.Add(item);
    }

    public bool Remove(RegoValue item) => _items.Remove(item);

    public RegoSet ToSet()
    {
        var items = new RegoValue[_items.Count];
        _items.CopyTo(items);
        Sequences.Sort(items);
        return RegoSet.OfSorted(items);
    }
}
