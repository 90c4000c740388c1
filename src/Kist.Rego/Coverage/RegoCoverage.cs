using Kist.Rego.Coverage;
using Kist.Rego.Syntax;

namespace Kist.Rego;

/// <summary>
/// Which lines of policies evaluations have reached: the expressions that were evaluated, and the heads of rules that had a
/// solution. It is for one thread at a time.
/// </summary>
public sealed class RegoCoverage
{
    private readonly HashSet<RegoLocation> _reached = [];

    internal void Reach(RegoLocation place) => _reached.Add(place);

    /// <summary>What was reached of some modules, in their order.</summary>
    /// <exception cref="RegoException">A module does not parse.</exception>
    public IReadOnlyList<RegoFileCoverage> Report(IEnumerable<RegoModule> modules, RegoVersion version) =>
        [.. modules.Select(m => Report(m, version))];

    private RegoFileCoverage Report(RegoModule module, RegoVersion version)
    {
        var places = CoverablePlaces.Of(Parser.ParseModule(module, version));
        var missed = places.Where(p => !_reached.Contains(p)).Select(p => p.Row).Distinct().Order().ToList();
        var covered = places.Select(p => p.Row).Distinct().Except(missed).Order().ToList();
        return new RegoFileCoverage(module.Name, covered, missed);
    }
}

/// <summary>The lines of a module that have something to evaluate. A line counts as reached if all on it was.</summary>
/// <param name="File">The module's name.</param>
/// <param name="Covered">Numbers of lines, from 1, in order.</param>
/// <param name="Missed">Numbers of lines, from 1, in order.</param>
public sealed record RegoFileCoverage(string File, IReadOnlyList<int> Covered, IReadOnlyList<int> Missed)
{
    /// <summary>Percent of lines; 100 where there are none.</summary>
    public double Percent => PercentOf(Covered.Count, Missed.Count);

    /// <summary>Percent of lines, to two decimals, cut off: 100 only if none was missed.</summary>
    public static double PercentOf(int covered, int missed) => missed == 0 ? 100 : Math.Floor(10_000.0 * covered / (covered + missed)) / 100;
}
