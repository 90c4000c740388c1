using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>Arithmetic: exact on integers, otherwise on floats of 64 bits of mantissa.</summary>
static class Arithmetic
{
    /// <summary>The largest integers that are computed: about 20,000 digits.</summary>
    private const int MaxBits = 1 << 16;

    public static RegoNumber Add(RegoNumber a, RegoNumber b)
    {
        if (a.TryGetInt64(out var x) && b.TryGetInt64(out var y) && !Overflows(x, y, out var sum))
            return RegoNumber.FromInt64(sum);
        return a.TryGetInteger(out var p) && b.TryGetInteger(out var q) ? Integer(p + q) : (BinaryFloat.Of(a) + BinaryFloat.Of(b)).ToNumber();
    }

    public static RegoNumber Subtract(RegoNumber a, RegoNumber b) =>
        a.TryGetInteger(out var p) && b.TryGetInteger(out var q) ? Integer(p - q) : (BinaryFloat.Of(a) - BinaryFloat.Of(b)).ToNumber();

    public static RegoNumber Multiply(RegoNumber a, RegoNumber b) =>
        a.TryGetInteger(out var p) && b.TryGetInteger(out var q) ? Integer(p * q) : (BinaryFloat.Of(a) * BinaryFloat.Of(b)).ToNumber();

    /// <summary>The quotient; null for a divisor of zero.</summary>
    public static RegoNumber? Divide(RegoNumber a, RegoNumber b)
    {
        if (b.IsZero)
            return null;
        if (a.TryGetInt64(out var x) && b.TryGetInt64(out var y) && x != long.MinValue && x % y == 0)
            return RegoNumber.FromInt64(x / y);
        return (BinaryFloat.Of(a) / BinaryFloat.Of(b)).ToNumber();
    }

    public static RegoNumber Absolute(RegoNumber a) =>
        a.Sign >= 0 ? a : a.TryGetInteger(out var i) ? Integer(-i) : (BinaryFloat.Of(RegoNumber.FromInt64(0)) - BinaryFloat.Of(a)).ToNumber();

    /// <summary>To the nearest integer, halves away from zero.</summary>
    public static RegoNumber Round(RegoNumber a)
    {
        if (a.TryGetInteger(out var i))
            return Integer(i);
        var half = BinaryFloat.Of(RegoNumber.TryParse("0.5")!);
        var x = BinaryFloat.Of(a);
        return Integer((x.Sign < 0 ? x - half : x + half).Truncate());
    }

    public static RegoNumber Ceiling(RegoNumber a)
    {
        if (a.TryGetInteger(out var i))
            return Integer(i);
        var x = BinaryFloat.Of(a);
        return Integer(x.Truncate() + (x.Sign > 0 ? 1 : 0));
    }

    public static RegoNumber Floor(RegoNumber a)
    {
        if (a.TryGetInteger(out var i))
            return Integer(i);
        var x = BinaryFloat.Of(a);
        return Integer(x.Truncate() - (x.Sign < 0 ? 1 : 0));
    }

    /// <summary>An integer within the size that is computed with.</summary>
    /// <exception cref="OverflowException">It is larger.</exception>
    public static RegoNumber Integer(BigInteger value) =>
        value.GetBitLength() <= MaxBits ? RegoNumber.FromBigInteger(value) : throw new OverflowException("the number is too large");

    private static bool Overflows(long x, long y, out long sum)
    {
        sum = unchecked(x + y);
        return ((x ^ sum) & (y ^ sum)) < 0;
    }
}
