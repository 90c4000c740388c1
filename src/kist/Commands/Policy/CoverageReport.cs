using System.Globalization;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>What tests have reached, for people and as JSON in the members that OPA's reports have.</summary>
sealed class CoverageReport(IReadOnlyList<RegoFileCoverage> files)
{
    public double Percent => RegoFileCoverage.PercentOf(files.Sum(f => f.Covered.Count), files.Sum(f => f.Missed.Count));

    public string PercentText => Text(Percent);

    /// <summary>A line a file, and one for all.</summary>
    public IEnumerable<string> Lines() =>
        files.Select(f => $"{f.File}: {Text(f.Percent)}{(f.Missed.Count == 0 ? "" : $", not reached: {string.Join(", ", Ranges(f.Missed).Select(r => r.Start == r.End ? $"{r.Start}" : $"{r.Start}-{r.End}"))}")}")
            .Append($"coverage: {PercentText}");

    public RegoValue ToValue()
    {
        var (covered, missed) = (files.Sum(f => f.Covered.Count), files.Sum(f => f.Missed.Count));
        return RegoValue.ObjectOf(
            ("files", RegoValue.ObjectOf([.. files.Select(f => (f.File, RegoValue.ObjectOf(
                ("covered", RangesOf(f.Covered)), ("not_covered", RangesOf(f.Missed)),
                ("covered_lines", RegoValue.Of(f.Covered.Count)), ("not_covered_lines", RegoValue.Of(f.Missed.Count)), ("coverage", Number(f.Percent)))))])),
            ("covered_lines", RegoValue.Of(covered)), ("not_covered_lines", RegoValue.Of(missed)), ("coverage", Number(Percent)));
    }

    private static RegoValue RangesOf(IReadOnlyList<int> lines) =>
        RegoValue.ArrayOf([.. Ranges(lines).Select(r => RegoValue.ObjectOf(("start", Row(r.Start)), ("end", Row(r.End))))]);

    private static RegoValue Row(int row) => RegoValue.ObjectOf(("row", RegoValue.Of(row)));

    private static RegoValue Number(double percent) => RegoValue.FromJson(percent.ToString("0.##", CultureInfo.InvariantCulture));

    private static string Text(double percent) => percent.ToString("0.##", CultureInfo.InvariantCulture) + "%";

    /// <summary>Numbers that follow each other, together.</summary>
    private static List<(int Start, int End)> Ranges(IReadOnlyList<int> lines)
    {
        var ranges = new List<(int Start, int End)>();
        foreach (var line in lines)
        {
            if (ranges.Count > 0 && ranges[^1].End == line - 1)
                ranges[^1] = (ranges[^1].Start, line);
            else
                ranges.Add((line, line));
        }

        return ranges;
    }
}
