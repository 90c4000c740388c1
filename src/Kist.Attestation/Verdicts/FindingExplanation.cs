namespace Kist.Attestation;

/// <summary>What a finding's code means, at more length than a verdict has room for.</summary>
/// <param name="Id">The code, such as "tdx.quote.signature".</param>
/// <param name="Title">One line: what the check establishes.</param>
/// <param name="Text">Why it matters, how it is done, what the usual causes of failure are and what to do about each.</param>
/// <param name="SpecReference">Specification and section, or null.</param>
public sealed record FindingExplanation(string Id, string Title, string Text, string? SpecReference = null);
