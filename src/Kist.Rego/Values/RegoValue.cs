using System.Numerics;

namespace Kist.Rego;

/// <summary>
/// An immutable value of the language: null, boolean, number, string, array, object (any value may be a key) or set.
/// <em>Undefined</em> is not a value; where it can occur it is a null reference.
/// </summary>
/// <remarks>
/// Values are ordered as OPA orders them: null, booleans, numbers, strings, arrays, objects, sets; arrays, objects and
/// sets element by element. Equality is that order's zero, so <c>1</c> equals <c>1.0</c>.
/// </remarks>
public abstract class RegoValue : IEquatable<RegoValue>, IComparable<RegoValue>
{
    private protected RegoValue()
    {
    }

    /// <summary>The value's type.</summary>
    public abstract RegoType Type { get; }

    /// <summary>How deeply collections nest: 0 for scalars.</summary>
    internal virtual int Nesting => 0;

    /// <summary>The null value.</summary>
    public static RegoValue Null => RegoNull.Instance;

    /// <summary>The boolean true.</summary>
    public static RegoValue True => RegoBoolean.True;

    /// <summary>The boolean false.</summary>
    public static RegoValue False => RegoBoolean.False;

    /// <summary>True unless this is the boolean false: the test that a policy's expression must pass.</summary>
    public bool IsTruthy => !ReferenceEquals(this, RegoBoolean.False);

    /// <summary>True if this is the boolean true, and nothing else.</summary>
    public bool IsTrue => ReferenceEquals(this, RegoBoolean.True);

    /// <summary>A boolean.</summary>
    public static RegoValue Of(bool value) => value ? RegoBoolean.True : RegoBoolean.False;

    /// <summary>A string.</summary>
    public static RegoValue Of(string value) => new RegoString(value);

    /// <summary>An integer.</summary>
    public static RegoValue Of(long value) => RegoNumber.FromInt64(value);

    /// <summary>An integer of any size.</summary>
    public static RegoValue Of(BigInteger value) => RegoNumber.FromBigInteger(value);

    /// <summary>An array.</summary>
    public static RegoValue ArrayOf(params ReadOnlySpan<RegoValue> items) => RegoArray.Of(items.ToArray());

    /// <summary>A set; equal items are kept once.</summary>
    public static RegoValue SetOf(params ReadOnlySpan<RegoValue> items)
    {
        var builder = new RegoSetBuilder();
        foreach (var item in items)
            builder.Add(item);
        return builder.ToSet();
    }

    /// <summary>An object with string keys; a later entry replaces an earlier one of the same key.</summary>
    public static RegoValue ObjectOf(params ReadOnlySpan<(string Key, RegoValue Value)> entries)
    {
        var builder = new RegoObjectBuilder();
        foreach (var (key, value) in entries)
            builder[new RegoString(key)] = value;
        return builder.ToObject();
    }

    /// <summary>Reads one JSON document (RFC 8259). Numbers keep all their digits.</summary>
    /// <exception cref="Formats.MalformedDataException">The bytes are not JSON, or nest too deeply.</exception>
    public static RegoValue FromJson(ReadOnlySpan<byte> utf8) => JsonReading.Read(utf8);

    /// <summary>Reads one JSON document.</summary>
    /// <exception cref="Formats.MalformedDataException">The text is not JSON, or nests too deeply.</exception>
    public static RegoValue FromJson(string text) => JsonReading.Read(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Converts a parsed JSON element.</summary>
    public static RegoValue FromJson(System.Text.Json.JsonElement element) => JsonReading.Convert(element);

    /// <summary>
    /// Writes the value as JSON without white space: sets become arrays, keys that are not strings become their JSON text;
    /// keys are in order.
    /// </summary>
    public string ToJson() => JsonWriting.Write(this);

    /// <summary>The member of an object under a string key, or null where this is no object or has no such key.</summary>
    public RegoValue? this[string key] => this is RegoObject o ? o.Get(new RegoString(key)) : null;

    /// <inheritdoc/>
    public abstract int CompareTo(RegoValue? other);

    /// <inheritdoc/>
    public bool Equals(RegoValue? other) => other is not null && (ReferenceEquals(this, other) || EqualsCore(other));

    /// <inheritdoc/>
    public sealed override bool Equals(object? obj) => Equals(obj as RegoValue);

    /// <inheritdoc/>
    public abstract override int GetHashCode();

    /// <summary>The value as Rego source text.</summary>
    public override string ToString() => RegoText.Write(this);

    /// <summary>Equality with a value that is neither null nor the same reference.</summary>
    private protected virtual bool EqualsCore(RegoValue other) => CompareTo(other) == 0;

    /// <summary>Equality.</summary>
    public static bool operator ==(RegoValue? left, RegoValue? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Inequality.</summary>
    public static bool operator !=(RegoValue? left, RegoValue? right) => !(left == right);

    /// <summary>Order.</summary>
    public static bool operator <(RegoValue left, RegoValue right) => left.CompareTo(right) < 0;

    /// <summary>Order.</summary>
    public static bool operator >(RegoValue left, RegoValue right) => left.CompareTo(right) > 0;

    /// <summary>Order.</summary>
    public static bool operator <=(RegoValue left, RegoValue right) => left.CompareTo(right) <= 0;

    /// <summary>Order.</summary>
    public static bool operator >=(RegoValue left, RegoValue right) => left.CompareTo(right) >= 0;
}
