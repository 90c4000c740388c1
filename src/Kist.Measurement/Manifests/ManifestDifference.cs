using System.Collections.Immutable;

namespace Kist.Measurement.Manifests;

/// <summary>One difference between two measurements.</summary>
/// <param name="Register">The register that it moves, or "" for an input that is not bound to one.</param>
/// <param name="What">The input, section, page or event that moved.</param>
/// <param name="Left">In the first; null if it is not there.</param>
/// <param name="Right">In the second; null if it is not there.</param>
public sealed record ManifestDifference(string Register, string What, string? Left, string? Right)
{
    private const long MaximumComparisons = 4_000_000;

    /// <summary>What differs between two manifests: inputs first, then per register the steps that moved. Empty if nothing does.</summary>
    public static ImmutableArray<ManifestDifference> Between(MeasurementManifest left, MeasurementManifest right)
    {
        var differences = ImmutableArray.CreateBuilder<ManifestDifference>();
        if (left.Tee != right.Tee)
            differences.Add(new("", "TEE", left.Tee, right.Tee));
        if (left.Profile != right.Profile)
            differences.Add(new("", "profile", left.Profile, right.Profile));
        foreach (var name in left.Inputs.Concat(right.Inputs).Select(i => i.Name).Distinct())
        {
            var (a, b) = (left.Inputs.FirstOrDefault(i => i.Name == name)?.Value, right.Inputs.FirstOrDefault(i => i.Name == name)?.Value);
            if (a != b)
                differences.Add(new("", $"input {name}", a, b));
        }

        foreach (var name in left.Registers.Concat(right.Registers).Select(r => r.Name).Distinct())
        {
            var (a, b) = (left.Find(name), right.Find(name));
            if (a == b)
                continue;
            differences.Add(new(name, "register", a?.ToString(), b?.ToString()));
            differences.AddRange(Steps([.. left.Steps.Where(s => s.Register == name)], [.. right.Steps.Where(s => s.Register == name)], name));
        }

        return differences.ToImmutable();
    }

    // Pages build on each other, so only the first that moved says something; events stand for themselves.
    private static IEnumerable<ManifestDifference> Steps(ImmutableArray<ManifestStep> left, ImmutableArray<ManifestStep> right, string register)
    {
        foreach (var (a, b) in Align(left, right))
        {
            if (a is not null && b is not null && a.Digest == b.Digest)
                continue;
            var step = a ?? b!;
            yield return new ManifestDifference(
                register, $"{step.Description} [{step.Input}]", a is null ? null : Show(a), b is null ? null : Show(b));
            if (step.Kind == "pages")
                yield break;
        }
    }

    private static string Show(ManifestStep step) => $"{step.Kind} {step.Digest}";

    // The longest common subsequence by what was measured, so that an event that was added or left out is shown as such.
    private static IEnumerable<(ManifestStep?, ManifestStep?)> Align(ImmutableArray<ManifestStep> left, ImmutableArray<ManifestStep> right)
    {
        // Manifests have some dozen steps; a forged one must not cost gigabytes.
        if ((long)left.Length * right.Length > MaximumComparisons)
        {
            for (var i = 0; i < Math.Max(left.Length, right.Length); i++)
                yield return (i < left.Length ? left[i] : null, i < right.Length ? right[i] : null);
            yield break;
        }

        var length = new int[left.Length + 1, right.Length + 1];
        for (var i = left.Length - 1; i >= 0; i--)
        {
            for (var j = right.Length - 1; j >= 0; j--)
                length[i, j] = Same(left[i], right[j]) ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        }

        int x = 0, y = 0;
        while (x < left.Length || y < right.Length)
        {
            if (x < left.Length && y < right.Length && Same(left[x], right[y]))
                yield return (left[x++], right[y++]);
            else if (y == right.Length || (x < left.Length && length[x + 1, y] >= length[x, y + 1]))
                yield return (left[x++], null);
            else
                yield return (null, right[y++]);
        }
    }

    private static bool Same(ManifestStep a, ManifestStep b) => a.Kind == b.Kind && (a.Description == b.Description || (a.Kind != "pages" && a.Digest == b.Digest));
}
