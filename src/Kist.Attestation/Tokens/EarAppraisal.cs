using System.Collections.Immutable;
using System.Text.Json;

namespace Kist.Attestation.Tokens;

/// <summary>What a verifier concluded about one part of a machine: one entry of "submods".</summary>
public sealed record EarAppraisal
{
    /// <summary>The claims of a trustworthiness vector by their CBOR key (draft-ietf-rats-ar4si section 2.3.1).</summary>
    public static ImmutableArray<string> VectorNames { get; } =
    [
        "instance-identity", "configuration", "executables", "file-system", "hardware", "runtime-opaque", "storage-opaque", "sourced-data",
    ];

    /// <summary>ear.status.</summary>
    public required EarTier Status { get; init; }

    /// <summary>ear.trustworthiness-vector: values by name. Empty if it is absent.</summary>
    public ImmutableSortedDictionary<string, sbyte> Vector { get; init; } = ImmutableSortedDictionary<string, sbyte>.Empty;

    /// <summary>ear.appraisal-policy-id (or ids); empty if absent.</summary>
    public ImmutableArray<string> PolicyIds { get; init; } = [];

    /// <summary>ear.veraison.annotated-evidence: the evidence's claims; null if absent. JSON only.</summary>
    public JsonElement? AnnotatedEvidence { get; init; }

    /// <summary>The worst tier of the vector; none if it is empty.</summary>
    public EarTier WorstTier => Vector.IsEmpty ? EarTier.None : Vector.Values.Max(EarTiers.Of);
}
