namespace Kist.Rego.Evaluation;

/// <summary>An object being made by rules: entries are values, sets being made, or objects being made.</summary>
sealed class PartialObject
{
    private readonly Dictionary<RegoValue, object> _entries = [];

    /// <summary>Adds a value at a path.</summary>
    /// <returns>False if another value is there already.</returns>
    public bool Add(ReadOnlySpan<RegoValue> path, RegoValue value, bool isElement)
    {
        var exists = _entries.TryGetValue(path[0], out var entry);
        if (path.Length > 1)
        {
            if (!exists)
                _entries.Add(path[0], entry = new PartialObject());
            return entry is PartialObject inner && inner.Add(path[1..], value, isElement);
        }

        if (isElement)
        {
            if (!exists)
                _entries.Add(path[0], entry = new RegoSetBuilder());
            (entry as RegoSetBuilder)?.Add(value);
            return entry is RegoSetBuilder;
        }

        if (exists)
            return entry is RegoValue other && other.Equals(value);
        _entries.Add(path[0], value);
        return true;
    }

    /// <summary>Merges a document under a key: objects entry by entry, other values must not meet.</summary>
    public bool Merge(RegoValue key, RegoValue document)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            _entries.Add(key, document);
            return true;
        }

        if (entry is not PartialObject inner || document is not RegoObject o)
            return entry is RegoValue v && v.Equals(document);
        for (var i = 0; i < o.Count; i++)
        {
            if (!inner.Merge(o.Keys[i], o.Values[i]))
                return false;
        }

        return true;
    }

    public RegoObject ToValue()
    {
        var result = new RegoObjectBuilder(_entries.Count);
        foreach (var (key, entry) in _entries)
        {
            result[key] = entry switch
            {
                PartialObject inner => inner.ToValue(),
                RegoSetBuilder set => set.ToSet(),
                _ => (RegoValue)entry,
            };
        }

        return result.ToObject();
    }
}
