using System.Collections.Immutable;

namespace Kist.Measurement.Matching;

/// <summary>How one register of a piece of evidence is explained.</summary>
/// <param name="Register">Its name.</param>
/// <param name="Value">Its value in the evidence.</param>
/// <param name="IsExplained">True if a candidate gives exactly this value.</param>
/// <param name="By">The candidates that do, or for the nearest candidate what does not fit.</param>
public sealed record RegisterMatch(string Register, HashValue Value, bool IsExplained, ImmutableArray<string> By);

/// <summary>What explains a piece of evidence.</summary>
/// <param name="Tee">The TEE.</param>
/// <param name="Registers">Every register that was looked at.</param>
/// <param name="Candidates">How many combinations were tried.</param>
public sealed record MatchResult(string Tee, ImmutableArray<RegisterMatch> Registers, int Candidates)
{
    /// <summary>True if every register is explained.</summary>
    public bool IsExplained => !Registers.IsEmpty && Registers.All(r => r.IsExplained);
}
