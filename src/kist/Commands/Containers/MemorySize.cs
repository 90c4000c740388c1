using System.Globalization;
using Kist.Formats;

namespace Kist.Cli.Commands.Containers;

/// <summary>Sizes as docker reads them: a number and b, k, m or g, in powers of 1024.</summary>
static class MemorySize
{
    public static long Parse(string text)
    {
        var digits = text.AsSpan().TrimEnd("bB");
        var shift = 0;
        if (digits.Length > 0 && char.ToLowerInvariant(digits[^1]) is var unit && "kmg".IndexOf(unit, StringComparison.Ordinal) is var index and >= 0)
        {
            shift = 10 * (index + 1);
            digits = digits[..^1];
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> shift
            ? number << shift
            : throw new OperationFailedException("read size", text, "it is not a size", "write it as 256m or 1g");
    }

    public static string Format(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.#} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.#} KiB"),
    };
}
