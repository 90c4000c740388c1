using System.Buffers;
using System.Globalization;
using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>Go's durations: <c>1h2m3.5s</c>.</summary>
static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, long Nanoseconds)[] Units =
        [("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];

    /// <summary>Nanoseconds.</summary>
    /// <exception cref="FormatException">The text is not a duration.</exception>
    public static BigInteger Parse(string text)
    {
        var rest = text.AsSpan();
        var negative = rest is ['-', ..];
        if (rest is ['-' or '+', ..])
            rest = rest[1..];
        if (rest is "0")
            return 0;
        if (rest.IsEmpty)
            throw Invalid(text);
        var total = BigInteger.Zero;
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOfAnyExcept(NumberCharacters);
            if (length <= 0)
                throw length == 0 ? Invalid(text) : new FormatException($"time: missing unit in duration \"{text}\"");
            var number = rest[..length];
            rest = rest[length..];
            var end = rest.IndexOfAny(NumberCharacters);
            var unit = (end < 0 ? rest : rest[..end]).ToString();
            rest = rest[unit.Length..];
            total += Scale(number, unit, text);
        }

        if (total > long.MaxValue)
            throw Invalid(text);
        return negative ? -total : total;
    }

    private static BigInteger Scale(ReadOnlySpan<char> number, string unit, string text)
    {
        var size = Array.Find(Units, u => u.Unit == unit).Nanoseconds;
        if (size == 0)
            throw new FormatException($"time: unknown unit \"{unit}\" in duration \"{text}\"");
        var point = number.IndexOf('.');
        var whole = point < 0 ? number : number[..point];
        var fraction = point < 0 ? [] : number[(point + 1)..];
        if (whole.Length + fraction.Length == 0 || fraction.Contains('.') || number.Length > 40)
            throw Invalid(text);
        var digits = BigInteger.Parse(string.Concat("0", whole, fraction), NumberStyles.None, CultureInfo.InvariantCulture);
        return digits * size / BigInteger.Pow(10, fraction.Length);
    }

    private static FormatException Invalid(string text) => new($"time: invalid duration \"{text}\"");
}
