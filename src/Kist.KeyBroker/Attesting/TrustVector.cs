using System.Text.Json;
using Kist.KeyBroker.Policies;

namespace Kist.KeyBroker.Attesting;

/// <summary>The tiers of AR4SI (draft-ietf-rats-ar4si section 2.3), the worst one last.</summary>
enum TrustTier
{
    None,
    Affirming,
    Warning,
    Contraindicated,
}

/// <summary>An AR4SI trustworthiness vector: what an attestation policy concluded about one part of a machine.</summary>
sealed class TrustVector
{
    private static readonly string[] Names =
    [
        "instance-identity", "configuration", "executables", "file-system", "hardware", "runtime-opaque", "storage-opaque", "sourced-data",
    ];

    private readonly SortedDictionary<string, sbyte> _claims = new(StringComparer.Ordinal);

    /// <summary>The claims that were set.</summary>
    public IReadOnlyDictionary<string, sbyte> Claims => _claims;

    /// <summary>The worst tier of any claim; none if no claim was set.</summary>
    public TrustTier Status => _claims.Count == 0 ? TrustTier.None : _claims.Values.Max(TierOf);

    /// <summary>Reads what the rule data.policy.trust_claims gave.</summary>
    /// <exception cref="PolicyFailedException">It is no object of known names with numbers from -128 to 127.</exception>
    public static TrustVector Parse(JsonElement? value)
    {
        var vector = new TrustVector();
        if (value is not { } claims)
            return vector;
        if (claims.ValueKind != JsonValueKind.Object)
            throw new PolicyFailedException("data.policy.trust_claims is not an object");
        foreach (var claim in claims.EnumerateObject())
        {
            // Policies may write file_system for file-system, as Rego's names have no dashes.
            var name = claim.Name.Replace('_', '-');
            if (!Names.Contains(name))
                throw new PolicyFailedException($"data.policy.trust_claims has the unknown claim \"{claim.Name}\"");
            if (claim.Value.ValueKind != JsonValueKind.Number || !claim.Value.TryGetSByte(out var number))
                throw new PolicyFailedException($"data.policy.trust_claims[\"{claim.Name}\"] is not a number from -128 to 127");
            vector._claims[name] = number;
        }

        return vector;
    }

    /// <summary>The tier of one claim's value.</summary>
    public static TrustTier TierOf(sbyte value) => value switch
    {
        >= -1 and <= 1 => TrustTier.None,
        >= -32 and <= 31 => TrustTier.Affirming,
        >= -96 and <= 95 => TrustTier.Warning,
        _ => TrustTier.Contraindicated,
    };

    /// <summary>The tier's name in an EAR.</summary>
    public static string NameOf(TrustTier tier) => tier switch
    {
        TrustTier.None => "none",
        TrustTier.Affirming => "affirming",
        TrustTier.Warning => "warning",
        _ => "contraindicated",
    };
}
