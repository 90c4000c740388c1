using System.Globalization;
using System.Numerics;

namespace Kist.Rego;

/// <summary>
/// An exact number: an integer that fits 64 bits, or a decimal <c>Mantissa × 10^Exponent</c> of any size. The text it was
/// written with is kept, as OPA keeps it, and given back on output.
/// </summary>
public sealed class RegoNumber : RegoValue
{
    /// <summary>The largest magnitude of a written exponent: larger ones make short texts expensive.</summary>
    internal const int MaxExponent = 2_000;

    /// <summary>The most characters of a number.</summary>
    internal const int MaxLength = 20_000;

    private static readonly RegoNumber[] Small = CreateSmall();

    private readonly long _small;
    private readonly bool _isSmall;
    private readonly BigInteger _mantissa;
    private readonly int _exponent;
    private string? _text;

    private RegoNumber(long value)
    {
        _small = value;
        _isSmall = true;
    }

    private RegoNumber(BigInteger mantissa, int exponent, string? text)
    {
        _mantissa = mantissa;
        _exponent = exponent;
        _text = text;
    }

    private RegoNumber(long value, string text)
        : this(value) => _text = text;

    /// <inheritdoc/>
    public override RegoType Type => RegoType.Number;

    /// <summary>True if the value is an integer, however it is written (<c>1e2</c> and <c>1.0</c> are).</summary>
    public bool IsInteger => _isSmall || _exponent >= 0;

    /// <summary>True if the number is written as an integer: digits only.</summary>
    internal bool IsWrittenAsInteger => _text is null ? IsInteger : _text.AsSpan().IndexOfAny('.', 'e', 'E') < 0;

    /// <summary>True if zero.</summary>
    internal bool IsZero => _isSmall && _small == 0;

    /// <summary>-1, 0 or 1.</summary>
    internal int Sign => _isSmall ? Math.Sign(_small) : _mantissa.Sign;

    /// <summary>The number of an integer.</summary>
    public static RegoNumber FromInt64(long value) =>
        (ulong)(value + 128) < (ulong)Small.Length ? Small[value + 128] : new RegoNumber(value);

    /// <summary>The number of an integer of any size.</summary>
    public static RegoNumber FromBigInteger(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue ? FromInt64((long)value) : new RegoNumber(value, 0, null);

    /// <summary>The shortest decimal that reads back as this double.</summary>
    /// <exception cref="ArgumentException">The double is not finite.</exception>
    public static RegoNumber FromDouble(double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException("the number is not finite", nameof(value));
        if (Math.Abs(value) < 1e15 && Math.Truncate(value) == value)
            return FromInt64((long)value);
        return TryParse(value.ToString("R", CultureInfo.InvariantCulture)) ?? FromInt64(0);
    }

    /// <summary>Reads a number as JSON writes it; null if the text is not one or is too large.</summary>
    public static RegoNumber? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length is > 0 and < 18 && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small))
        {
            var canonical = text[0] is not '+' && (text is "0" || text.TrimStart('-') is [>= '1' and <= '9', ..]);
            return canonical ? FromInt64(small) : text is "-0" ? new RegoNumber(0, "-0") : null;
        }

        return DecimalText.TryRead(text, out var mantissa, out var exponent) ? Normalize(mantissa, exponent, text.ToString()) : null;
    }

    /// <summary>The integer, if the value is one and fits.</summary>
    public bool TryGetInt64(out long value)
    {
        value = _small;
        return _isSmall;
    }

    /// <summary>The integer, if the value is one.</summary>
    public bool TryGetInteger(out BigInteger value)
    {
        value = _isSmall ? _small : _exponent >= 0 ? _mantissa * BigInteger.Pow(10, _exponent) : default;
        return IsInteger;
    }

    /// <summary>The nearest double.</summary>
    public double ToDouble() => _isSmall ? _small : double.Parse(ToString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>The exact value as mantissa and power of ten.</summary>
    internal (BigInteger Mantissa, int Exponent) ToDecimal() => _isSmall ? (_small, 0) : (_mantissa, _exponent);

    /// <inheritdoc/>
    public override int CompareTo(RegoValue? other)
    {
        if (other is not RegoNumber n)
            return other is null ? 1 : RegoType.Number.CompareTo(other.Type);
        return _isSmall && n._isSmall ? _small.CompareTo(n._small) : CompareDecimals(n);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => _isSmall ? _small.GetHashCode() : HashCode.Combine(_mantissa, _exponent);

    /// <inheritdoc/>
    public override string ToString() =>
        _text ??= _isSmall ? _small.ToString(CultureInfo.InvariantCulture) : DecimalText.Write(_mantissa, _exponent);

    private protected override bool EqualsCore(RegoValue other) =>
        other is RegoNumber n && _isSmall == n._isSmall &&
        (_isSmall ? _small == n._small : _exponent == n._exponent && _mantissa == n._mantissa);

    /// <summary>The one representation of a value: no trailing zeros in the mantissa, 64 bits where they suffice.</summary>
    private static RegoNumber Normalize(BigInteger mantissa, int exponent, string text)
    {
        if (mantissa.IsZero)
            return new RegoNumber(0, text);
        (mantissa, exponent) = DecimalText.StripZeros(mantissa, exponent);
        if (exponent is >= 0 and < 19)
        {
            var whole = mantissa * BigInteger.Pow(10, exponent);
            if (whole >= long.MinValue && whole <= long.MaxValue)
                return new RegoNumber((long)whole, text);
        }

        // A big integer keeps its zeros, as FromBigInteger makes it, so that equal values have equal parts.
        return exponent > 0 ? new RegoNumber(mantissa * BigInteger.Pow(10, exponent), 0, text) : new RegoNumber(mantissa, exponent, text);
    }

    private int CompareDecimals(RegoNumber other)
    {
        var (am, ae) = ToDecimal();
        var (bm, be) = other.ToDecimal();
        if (am.Sign != bm.Sign)
            return am.Sign.CompareTo(bm.Sign);
        var lowest = Math.Min(ae, be);
        return (am * BigInteger.Pow(10, ae - lowest)).CompareTo(bm * BigInteger.Pow(10, be - lowest));
    }

    private static RegoNumber[] CreateSmall()
    {
        var numbers = new RegoNumber[1024];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = new RegoNumber(i - 128);
        return numbers;
    }
}
