namespace Kist.Rego;

/// <summary>The null value.</summary>
sealed class RegoNull : RegoValue
{
    public static readonly RegoNull Instance = new();

    private RegoNull()
    {
    }

    public override RegoType Type => RegoType.Null;

    public override int CompareTo(RegoValue? other) => other is null ? 1 : RegoType.Null.CompareTo(other.Type);

    public override int GetHashCode() => 17;
}

/// <summary>true and false: one object each.</summary>
sealed class RegoBoolean : RegoValue
{
    public static new readonly RegoBoolean True = new(true);
    public static new readonly RegoBoolean False = new(false);

    private RegoBoolean(bool value) => Value = value;

    public bool Value { get; }

    public override RegoType Type => RegoType.Boolean;

    public override int CompareTo(RegoValue? other) => other switch
    {
        null => 1,
        RegoBoolean b => Value.CompareTo(b.Value),
        _ => RegoType.Boolean.CompareTo(other.Type),
    };

    public override int GetHashCode() => Value ? 3 : 5;

    private protected override bool EqualsCore(RegoValue other) => false; // the same reference was ruled out
}

/// <summary>Text. Strings are ordered by their UTF-8 bytes, which is the order of their code points.</summary>
public sealed class RegoString : RegoValue
{
    /// <summary>The empty string.</summary>
    public static readonly RegoString Empty = new("");

    /// <summary>Creates a string.</summary>
    public RegoString(string value) => Value = value;

    /// <summary>The text.</summary>
    public string Value { get; }

    /// <inheritdoc/>
    public override RegoType Type => RegoType.String;

    /// <inheritdoc/>
    public override int CompareTo(RegoValue? other) => other switch
    {
        null => 1,
        RegoString s => CompareCodePoints(Value, s.Value),
        _ => RegoType.String.CompareTo(other.Type),
    };

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    private protected override bool EqualsCore(RegoValue other) => other is RegoString s && Value == s.Value;

    /// <summary>Ordinal comparison by code point: UTF-16 alone would sort surrogate pairs before U+E000..U+FFFF.</summary>
    internal static int CompareCodePoints(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        var i = a.AsSpan(0, length).CommonPrefixLength(b.AsSpan(0, length));
        if (i == length)
            return a.Length.CompareTo(b.Length);
        char x = a[i], y = b[i];
        bool xs = char.IsSurrogate(x), ys = char.IsSurrogate(y);
        return xs == ys ? x.CompareTo(y) : xs ? 1 : -1;
    }
}
