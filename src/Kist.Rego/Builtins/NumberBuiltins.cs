using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>to_number, numbers.range, bits.*.</summary>
static class NumberBuiltins
{
    private const int MaxShift = 65_536;

    public static void Register(Registry table)
    {
        table.Add("to_number", 1, ToNumber);
        table.Add("numbers.range", 2, (c, a) => c.Integer(a, 0, out var from) && c.Integer(a, 1, out var to) ? Range(c, from, to, 1) : null);
        table.Add("numbers.range_step", 3, RangeStep);
        table.Add("bits.and", 2, Bits((x, y) => x & y));
        table.Add("bits.or", 2, Bits((x, y) => x | y));
        table.Add("bits.xor", 2, Bits((x, y) => x ^ y));
        table.Add("bits.negate", 1, (c, a) => c.Integer(a, 0, out var x) ? Arithmetic.Integer(-x - 1) : null);
        table.Add("bits.lsh", 2, (c, a) => Shift(c, a, left: true));
        table.Add("bits.rsh", 2, (c, a) => Shift(c, a, left: false));
    }

    private static RegoValue? ToNumber(BuiltinContext c, ReadOnlySpan<RegoValue> a) => a[0] switch
    {
        RegoNull => RegoNumber.FromInt64(0),
        RegoBoolean b => RegoNumber.FromInt64(b.Value ? 1 : 0),
        RegoNumber n => n,
        RegoString s when IsNotFinite(s.Value) => c.FailType(0, "valid number string", a[0]),
        RegoString s => Parse(s.Value) ?? c.Fail("invalid syntax"),
        _ => c.FailType(0, "{null, boolean, number, string}", a[0]),
    };

    private static bool IsNotFinite(string text) => text.TrimStart('+', '-').ToLowerInvariant() is "inf" or "infinity" or "nan";

    /// <summary>A number as Go's strconv reads it, less its hexadecimal forms and infinities.</summary>
    private static RegoNumber? Parse(string text)
    {
        if (RegoNumber.TryParse(text) is { } number)
            return number;
        var loose = text.StartsWith('+') ? text[1..] : text;
        var sign = loose.StartsWith('-') ? "-" : "";
        loose = loose[sign.Length..];
        if (loose.Length == 0 || !(char.IsAsciiDigit(loose[0]) || loose[0] == '.'))
            return null;
        // Leading zeros, ".5" and "5." are fine there.
        loose = loose.TrimStart('0');
        if (loose.Length == 0 || !char.IsAsciiDigit(loose[0]))
            loose = "0" + loose;
        var point = loose.IndexOf('.');
        if (point >= 0 && (point + 1 == loose.Length || loose[point + 1] is 'e' or 'E'))
            loose = loose.Remove(point, 1);
        return RegoNumber.TryParse(sign + loose);
    }

    private static RegoArray Range(BuiltinContext c, BigInteger from, BigInteger to, BigInteger step)
    {
        var items = new List<RegoValue>();
        if (from <= to)
        {
            for (var i = from; i <= to; i += step)
                Add(i);
        }
        else
        {
            for (var i = from; i >= to; i -= step)
                Add(i);
        }

        return RegoArray.From(items);

        void Add(BigInteger i)
        {
            c.Evaluation.Tick();
            items.Add(RegoNumber.FromBigInteger(i));
        }
    }

    private static RegoValue? RangeStep(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Integer(a, 0, out var from) || !c.Integer(a, 1, out var to) || !c.Integer(a, 2, out var step))
            return null;
        return step.Sign <= 0 ? c.Fail("step must be a positive integer") : Range(c, from, to, step);
    }

    private static BuiltinBody Bits(Func<BigInteger, BigInteger, BigInteger> combine) =>
        (c, a) => c.Integer(a, 0, out var x) && c.Integer(a, 1, out var y) ? Arithmetic.Integer(combine(x, y)) : null;

    private static RegoValue? Shift(BuiltinContext c, ReadOnlySpan<RegoValue> a, bool left)
    {
        if (!c.Integer(a, 0, out var x) || !c.Integer(a, 1, out var by))
            return null;
        if (by.Sign < 0)
            return c.FailOperand(1, "must be an unsigned integer number but got a negative integer");
        if (by > MaxShift)
            return left && !x.IsZero ? c.Fail("the shift is too large") : RegoNumber.FromInt64(x.Sign < 0 && !left ? -1 : 0);
        return Arithmetic.Integer(left ? x << (int)by : x >> (int)by);
    }
}
