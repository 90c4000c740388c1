using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>
/// What a verifier concluded about a piece of evidence. Only a verifier can make one, through
/// <see cref="VerdictBuilder"/>, so that whoever holds a verdict knows that the checks were done. The outcome follows
/// from the findings alone, and no findings is a refusal.
/// </summary>
public sealed class Verdict
{
    internal Verdict(
        string tee, DateTimeOffset at, ImmutableArray<Finding> findings, TeeClaims? claims, bool isSimulated, bool isDebug)
    {
        Tee = tee;
        At = at;
        Findings = findings;
        Claims = claims;
        IsSimulated = isSimulated;
        IsDebug = isDebug;
    }

    /// <summary>The TEE's name on the wire: sgx, tdx, snp, cca, tpm, az-snp-vtpm, az-tdx-vtpm, se, csv, nvidia, …</summary>
    public string Tee { get; }

    /// <summary>The time as of which the evidence was judged.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Every check, in the order in which they were done.</summary>
    public ImmutableArray<Finding> Findings { get; }

    /// <summary>What the evidence says once parsed. Null if it could not be parsed. Trust it only if accepted.</summary>
    public TeeClaims? Claims { get; }

    /// <summary>True if the evidence ends at a simulation's root: it protects nothing.</summary>
    public bool IsSimulated { get; }

    /// <summary>True if whoever runs the machine may look into the TEE: it protects nothing.</summary>
    public bool IsDebug { get; }

    /// <summary>True if at least one check passed and none failed.</summary>
    public bool IsAccepted =>
        Findings.Any(f => f.Outcome == FindingOutcome.Pass) && !Findings.Any(f => f.Outcome == FindingOutcome.Fail);

    /// <summary>
    /// The failure that decides the verdict: the first in order, since verifiers check genuineness before
    /// acceptability. Null if nothing failed.
    /// </summary>
    public Finding? DecisiveFailure => Findings.FirstOrDefault(f => f.Outcome == FindingOutcome.Fail);
}
