using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>semver.*: semantic versions 2.0.0.</summary>
static class SemverBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("semver.is_valid", 1, IsValid);
        table.Add("semver.compare", 2, Compare);
    }

    private static RegoValue? IsValid(BuiltinContext c, ReadOnlySpan<RegoValue> a) =>
        RegoValue.Of(a[0] is RegoString s && TryParse(s.Value, out _, out _));

    private static RegoValue? Compare(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var x) || !c.String(a, 1, out var y))
            return null;
        if (!TryParse(x, out var xNumbers, out var xPre))
            return c.Fail($"operand 1: string \"{x}\" is not a valid SemVer");
        if (!TryParse(y, out var yNumbers, out var yPre))
            return c.Fail($"operand 2: string \"{y}\" is not a valid SemVer");
        for (var i = 0; i < 3; i++)
        {
            if (xNumbers[i] != yNumbers[i])
                return RegoNumber.FromInt64(xNumbers[i].CompareTo(yNumbers[i]));
        }

        return RegoNumber.FromInt64(ComparePreRelease(xPre, yPre));
    }

    private static int ComparePreRelease(string x, string y)
    {
        if (x.Length == 0 || y.Length == 0)
            return y.Length.CompareTo(0) - x.Length.CompareTo(0);
        var (xs, ys) = (x.Split('.'), y.Split('.'));
        for (var i = 0; i < Math.Min(xs.Length, ys.Length); i++)
        {
            var (xNumeric, yNumeric) = (IsNumber(xs[i]), IsNumber(ys[i]));
            var order = xNumeric && yNumeric ? BigInteger.Parse(xs[i]).CompareTo(BigInteger.Parse(ys[i]))
                : xNumeric != yNumeric ? (xNumeric ? -1 : 1)
                : Math.Sign(string.CompareOrdinal(xs[i], ys[i]));
            if (order != 0)
                return order;
        }

        return xs.Length.CompareTo(ys.Length);
    }

    private static bool TryParse(string text, out BigInteger[] numbers, out string preRelease)
    {
        (numbers, preRelease) = ([], "");
        if (text.Length > 256)
            return false;
        var plus = text.IndexOf('+');
        if (plus >= 0)
        {
            if (!AreIdentifiers(text[(plus + 1)..], numbersMayStartWithZero: true))
                return false;
            text = text[..plus];
        }

        var dash = text.IndexOf('-');
        if (dash >= 0)
        {
            preRelease = text[(dash + 1)..];
            if (!AreIdentifiers(preRelease, numbersMayStartWithZero: false))
                return false;
            text = text[..dash];
        }

        var parts = text.Split('.');
        if (parts.Length != 3 || !parts.All(IsNumber))
            return false;
        numbers = [.. parts.Select(BigInteger.Parse)];
        return true;
    }

    private static bool AreIdentifiers(string text, bool numbersMayStartWithZero) => text.Split('.').All(p =>
        p.Length > 0 && p.All(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-') && (numbersMayStartWithZero || !p.All(char.IsAsciiDigit) || IsNumber(p)));

    private static bool IsNumber(string text) => text.Length > 0 && text.All(char.IsAsciiDigit) && (text.Length == 1 || text[0] != '0');
}
