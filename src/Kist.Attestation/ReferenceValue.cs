using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>The values that one claim may have.</summary>
/// <param name="Claim">Path of the claim in the claims' JSON, dots between members, such as "quote.body.mr_td".</param>
/// <param name="Accepted">
/// Acceptable values as the claims' JSON writes them (hexadecimal in lower case for bytes). Compared without regard to case.
/// </param>
public sealed record ReferenceValue(string Claim, ImmutableArray<string> Accepted);
