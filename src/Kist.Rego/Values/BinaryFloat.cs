using System.Globalization;
using System.Numerics;

namespace Kist.Rego;

/// <summary>
/// A binary floating-point number of 64 bits of mantissa, <c>Mantissa × 2^Exponent</c>, rounded to nearest even: what OPA
/// computes with where operands are not integers (Go's big.Float at its default precision).
/// </summary>
readonly struct BinaryFloat
{
    private const int Precision = 64;

    private readonly BigInteger _mantissa;
    private readonly int _exponent;

    private BinaryFloat(BigInteger mantissa, int exponent)
    {
        _mantissa = mantissa;
        _exponent = exponent;
    }

    /// <summary>The nearest float of a number.</summary>
    public static BinaryFloat Of(RegoNumber number)
    {
        var (mantissa, exponent) = number.ToDecimal();
        return exponent >= 0
            ? Round(mantissa * BigInteger.Pow(10, exponent), 0)
            : Quotient(mantissa, 0, BigInteger.Pow(10, -exponent), 0);
    }

    public bool IsZero => _mantissa.IsZero;

    public int Sign => _mantissa.Sign;

    public static BinaryFloat operator +(BinaryFloat a, BinaryFloat b)
    {
        var exponent = Math.Min(a._exponent, b._exponent);
        return Round((a._mantissa << (a._exponent - exponent)) + (b._mantissa << (b._exponent - exponent)), exponent);
    }

    public static BinaryFloat operator -(BinaryFloat a, BinaryFloat b) => a + new BinaryFloat(-b._mantissa, b._exponent);

    public static BinaryFloat operator *(BinaryFloat a, BinaryFloat b) => Round(a._mantissa * b._mantissa, a._exponent + b._exponent);

    public static BinaryFloat operator /(BinaryFloat a, BinaryFloat b) => Quotient(a._mantissa, a._exponent, b._mantissa, b._exponent);

    /// <summary>The integer part, towards zero.</summary>
    public BigInteger Truncate() => _exponent >= 0 ? _mantissa << _exponent : BigInteger.Divide(_mantissa, BigInteger.One << -_exponent);

    /// <summary>True if there is no fraction.</summary>
    public bool IsInteger => _exponent >= 0 || (BigInteger.Abs(_mantissa) & ((BigInteger.One << -_exponent) - 1)).IsZero;

    /// <summary>The number with the fewest digits that reads back as this float, written as Go writes it.</summary>
    public RegoNumber ToNumber()
    {
        if (IsZero)
            return RegoNumber.FromInt64(0);
        var (digits, power) = Shortest();
        return RegoNumber.TryParse(Format(digits, power)) ?? throw new OverflowException("the number is too large");
    }

    private string Format(string digits, int power)
    {
        var sign = Sign < 0 ? "-" : "";
        var point = digits.Length + power;
        if (IsInteger)
            return sign + digits.PadRight(point, '0');
        var exponent = point - 1;
        if (exponent is < -4 or >= 6)
        {
            var fraction = digits.Length > 1 ? $".{digits[1..]}" : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        }

        return point <= 0 ? $"{sign}0.{new string('0', -point)}{digits}" : $"{sign}{digits[..point]}.{digits[point..]}";
    }

    /// <summary>Digits and power of ten of the shortest decimal between the two neighbours' midpoints.</summary>
    private (string Digits, int Power) Shortest()
    {
        // The mantissa at full precision, so that its last bit is one unit in the last place; two bits more for midpoints.
        var shift = Precision - (int)BigInteger.Abs(_mantissa).GetBitLength();
        var mantissa = BigInteger.Abs(_mantissa) << (shift + 2);
        var exponent = _exponent - shift - 2;
        var lower = mantissa - (mantissa == BigInteger.One << (Precision + 1) ? 1 : 2);
        var upper = mantissa + 2;
        var inclusive = ((mantissa >> 2) & 1).IsZero;
        var scale = exponent < 0 ? BigInteger.One << -exponent : BigInteger.One;
        if (exponent > 0)
            (mantissa, lower, upper) = (mantissa << exponent, lower << exponent, upper << exponent);
        var magnitude = (int)Math.Floor(BigInteger.Log10(mantissa) - BigInteger.Log10(scale));
        for (var count = 1; ; count++)
        {
            var power = magnitude - count + 1;
            var (numerator, denominator) = power >= 0 ? (mantissa, scale * BigInteger.Pow(10, power)) : (mantissa * BigInteger.Pow(10, -power), scale);
            var digits = BigInteger.DivRem((2 * numerator) + denominator, 2 * denominator, out _);
            var candidate = power >= 0 ? digits * BigInteger.Pow(10, power) * scale : digits * scale;
            var factor = power >= 0 ? BigInteger.One : BigInteger.Pow(10, -power);
            var (low, high) = (candidate.CompareTo(lower * factor), candidate.CompareTo(upper * factor));
            if ((low > 0 && high < 0) || (inclusive && low >= 0 && high <= 0))
            {
                (digits, power) = DecimalText.StripZeros(digits, power);
                return (digits.ToString(CultureInfo.InvariantCulture), power);
            }
        }
    }

    private static BinaryFloat Quotient(BigInteger a, int aExponent, BigInteger b, int bExponent)
    {
        if (a.IsZero)
            return default;
        var shift = Math.Max(0, Precision + 2 + (int)BigInteger.Abs(b).GetBitLength() - (int)BigInteger.Abs(a).GetBitLength());
        var negative = a.Sign * b.Sign < 0;
        var quotient = BigInteger.DivRem(BigInteger.Abs(a) << shift, BigInteger.Abs(b), out var remainder);
        // One sticky bit stands for all that was cut off.
        quotient = (quotient << 1) | (remainder.IsZero ? 0 : 1);
        return Round(negative ? -quotient : quotient, aExponent - bExponent - shift - 1);
    }

    private static BinaryFloat Round(BigInteger mantissa, int exponent)
    {
        if (mantissa.IsZero)
            return default;
        var magnitude = BigInteger.Abs(mantissa);
        var excess = (int)magnitude.GetBitLength() - Precision;
        if (excess > 0)
        {
            var half = BigInteger.One << (excess - 1);
            var rest = magnitude & ((half << 1) - 1);
            magnitude >>= excess;
            if (rest > half || (rest == half && !magnitude.IsEven))
                magnitude += 1;
            exponent += excess;
        }

        while (magnitude.IsEven)
        {
            magnitude >>= 1;
            exponent++;
        }

        return new BinaryFloat(mantissa.Sign < 0 ? -magnitude : magnitude, exponent);
    }
}
