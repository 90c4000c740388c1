using System.Globalization;
using Kist.Formats;

namespace Kist.Kubernetes;

/// <summary>Quantities of bytes and processors, such as "64Mi" or "1G" (k8s.io/apimachinery/pkg/api/resource).</summary>
static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("", 1),
    ];

    /// <summary>Processors, such as "0.5" or "250m", in thousandths.</summary>
    public static uint Thousandths(string text, string place)
    {
        var factor = text.EndsWith('m') ? 1 : 1000;
        return decimal.TryParse(factor == 1 ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value * factor is > 0 and <= 1_000_000
            ? (uint)Math.Ceiling(value * factor)
            : throw new MalformedDataException("manifest", -1, $"{place} \"{text}\" is no number of processors");
    }

    public static ulong Bytes(string text, string place)
    {
        var (suffix, factor) = Suffixes.First(s => text.EndsWith(s.Suffix, StringComparison.Ordinal));
        if (!decimal.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value * factor > 1L << 50)
            throw new MalformedDataException("manifest", -1, $"{place} \"{text}\" is no quantity of bytes");
        return (ulong)Math.Ceiling(value * factor);
    }
}
