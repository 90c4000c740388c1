namespace Kist.Rune.Tests;

/// <summary>The fields of a /proc/PID/status.</summary>
static class ProcessStatus
{
    public static IReadOnlyDictionary<string, string> Parse(string text) => text
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(':', 2))
        .ToDictionary(parts => parts[0], parts => parts[1].Trim(), StringComparer.Ordinal);
}
