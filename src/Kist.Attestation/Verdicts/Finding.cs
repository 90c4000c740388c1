namespace Kist.Attestation;

/// <summary>How one check came out.</summary>
public enum FindingOutcome
{
    /// <summary>The check could not be done, and is not counted as passed; <see cref="Finding.Why"/> says why.</summary>
    NotChecked,

    /// <summary>The check was done and holds.</summary>
    Pass,

    /// <summary>The check was done and does not hold.</summary>
    Fail,
}

/// <summary>One check of a verdict: what was expected, what was found, why it matters and what to do.</summary>
/// <param name="Id">
/// Stable, dotted, lower-case code, such as "tdx.quote.signature". The dots make the tree in which findings are shown.
/// </param>
/// <param name="Outcome">How the check came out.</param>
/// <param name="Expected">What would have been right, for a person to read; null where there is no such value.</param>
/// <param name="Actual">What the evidence says; null where there is no such value.</param>
/// <param name="Why">One sentence: what the check establishes, or why it failed or could not be done.</param>
/// <param name="Remedy">What an operator can do; null for a check that passed.</param>
/// <param name="SpecReference">Specification and section; null where Kist's own rule is applied.</param>
public sealed record Finding(
    string Id,
    FindingOutcome Outcome,
    string? Expected,
    string? Actual,
    string Why,
    string? Remedy = null,
    string? SpecReference = null);
