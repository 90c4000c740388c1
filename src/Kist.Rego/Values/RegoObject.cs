namespace Kist.Rego;

/// <summary>A map from values to values, kept sorted by key.</summary>
public sealed class RegoObject : RegoValue
{
    /// <summary>The object without entries.</summary>
    public static readonly RegoObject Empty = new([], []);

    private const int SearchByHashFrom = 9;

    private readonly RegoValue[] _keys;
    private readonly RegoValue[] _values;
    private Dictionary<RegoValue, int>? _index;
    private int _hash;

    private RegoObject(RegoValue[] keys, RegoValue[] values)
    {
        _keys = keys;
        _values = values;
        Nesting = Math.Max(Sequences.NestingOf(keys), Sequences.NestingOf(values));
    }

    internal override int Nesting { get; }

    /// <inheritdoc/>
    public override RegoType Type => RegoType.Object;

    /// <summary>The number of entries.</summary>
    public int Count => _keys.Length;

    /// <summary>The keys, in order.</summary>
    public ReadOnlySpan<RegoValue> Keys => _keys;

    /// <summary>The values, in the order of their keys.</summary>
    public ReadOnlySpan<RegoValue> Values => _values;

    /// <summary>The value under <paramref name="key"/>, or null if there is none.</summary>
    public RegoValue? Get(RegoValue key)
    {
        var i = IndexOf(key);
        return i < 0 ? null : _values[i];
    }

    /// <summary>True if the key is there.</summary>
    public bool Contains(RegoValue key) => IndexOf(key) >= 0;

    /// <summary>Makes an object that owns the arrays; keys are sorted and distinct.</summary>
    internal static RegoObject OfSorted(RegoValue[] keys, RegoValue[] values) => keys.Length == 0 ? Empty : new RegoObject(keys, values);

    /// <inheritdoc/>
    public override int CompareTo(RegoValue? other)
    {
        if (other is not RegoObject o)
            return other is null ? 1 : RegoType.Object.CompareTo(other.Type);
        // Both in key order: the first difference, in key or else in value, decides; then the length.
        Evaluation.RegoEvaluation.Current?.Spend(1);
        var length = Math.Min(_keys.Length, o._keys.Length);
        for (var i = 0; i < length; i++)
        {
            var order = _keys[i].CompareTo(o._keys[i]);
            if (order == 0 && !ReferenceEquals(_values[i], o._values[i]))
                order = _values[i].CompareTo(o._values[i]);
            if (order != 0)
                return order;
        }

        return _keys.Length.CompareTo(o._keys.Length);
    }

    /// <inheritdoc/>
    public override int GetHashCode() =>
        _hash != 0 ? _hash : _hash = HashCode.Combine(Sequences.Hash(_keys, 37), Sequences.Hash(_values, 41)) | 1;

    private protected override bool EqualsCore(RegoValue other) =>
        other is RegoObject o && Sequences.AreEqual(_keys, o._keys) && Sequences.AreEqual(_values, o._values);

    private int IndexOf(RegoValue key)
    {
        if (_keys.Length < SearchByHashFrom)
        {
            for (var i = 0; i < _keys.Length; i++)
            {
                if (_keys[i].Equals(key))
                    return i;
            }

            return -1;
        }

        var index = _index ??= CreateIndex();
        return index.TryGetValue(key, out var position) ? position : -1;
    }

    private Dictionary<RegoValue, int> CreateIndex()
    {
        var index = new Dictionary<RegoValue, int>(_keys.Length);
        for (var i = 0; i < _keys.Length; i++)
            index.Add(_keys[i], i);
        return index;
    }
}
