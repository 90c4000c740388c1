using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>Collects the findings of one verification. Internal: a verdict comes from a verifier of this library only.</summary>
internal sealed class VerdictBuilder(string tee, DateTimeOffset at)
{
    private readonly ImmutableArray<Finding>.Builder _findings = ImmutableArray.CreateBuilder<Finding>();

    public string Tee => tee;

    public DateTimeOffset At => at;

    public TeeClaims? Claims { get; set; }

    public bool IsSimulated { get; set; }

    public bool IsDebug { get; set; }

    public bool HasFailed => _findings.Any(f => f.Outcome == FindingOutcome.Fail);

    public void Pass(string id, string why, string? expected = null, string? actual = null, string? spec = null) =>
        _findings.Add(new Finding(id, FindingOutcome.Pass, expected, actual, why, null, spec));

    public void Fail(string id, string why, string? expected, string? actual, string? remedy, string? spec = null) =>
        _findings.Add(new Finding(id, FindingOutcome.Fail, expected, actual, why, remedy, spec));

    public void NotChecked(string id, string why, string? remedy = null, string? spec = null) =>
        _findings.Add(new Finding(id, FindingOutcome.NotChecked, null, null, why, remedy, spec));

    /// <summary>
    /// Adds a pass or a failure by <paramref name="holds"/>, and returns it. <paramref name="why"/> is the sentence of both, or
    /// of the pass only where there is a <paramref name="failure"/>.
    /// </summary>
    public bool Check(
        string id, bool holds, string why, string? expected, string? actual, string? remedy, string? spec = null, string? failure = null)
    {
        if (holds)
            Pass(id, why, expected, actual, spec);
        else
            Fail(id, failure ?? why, expected, actual, remedy, spec);
        return holds;
    }

    /// <summary>Adds the finding of a signature check, which has nothing to show where it passes.</summary>
    public bool CheckSignature(string id, bool holds, string why, string failure, string remedy, string spec) =>
        Check(id, holds, why, holds ? null : "a valid signature", holds ? null : "a signature that does not fit", remedy, spec, failure);

    public Verdict Build() => new(tee, at, _findings.ToImmutable(), Claims, IsSimulated, IsDebug);
}
