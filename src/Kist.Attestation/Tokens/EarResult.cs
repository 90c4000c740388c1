using System.Collections.Immutable;

namespace Kist.Attestation.Tokens;

/// <summary>An EAT attestation result (draft-ietf-rats-ear), as claims: who concluded what about which parts, and when.</summary>
public sealed record EarResult
{
    /// <summary>eat_profile.</summary>
    public required string Profile { get; init; }

    /// <summary>iat.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>exp; null if the token does not end.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>iss; null if absent.</summary>
    public string? Issuer { get; init; }

    /// <summary>ear.verifier-id, developer.</summary>
    public required string Developer { get; init; }

    /// <summary>ear.verifier-id, build.</summary>
    public required string Build { get; init; }

    /// <summary>ear.raw-evidence; empty if absent.</summary>
    public ReadOnlyMemory<byte> RawEvidence { get; init; }

    /// <summary>submods by name.</summary>
    public required ImmutableSortedDictionary<string, EarAppraisal> Submods { get; init; }

    /// <summary>The worst status of any part.</summary>
    public EarTier WorstStatus => Submods.IsEmpty ? EarTier.None : Submods.Values.Max(s => s.Status);
}
