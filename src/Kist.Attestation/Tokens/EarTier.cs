namespace Kist.Attestation.Tokens;

/// <summary>The tiers of AR4SI (draft-ietf-rats-ar4si section 2.3), the worst one last.</summary>
public enum EarTier
{
    /// <summary>The verifier says nothing: values -1 to 1.</summary>
    None = 0,

    /// <summary>As it should be: values 2 to 31 and -32 to -2.</summary>
    Affirming = 2,

    /// <summary>Something is wrong that may be tolerated: values 32 to 95 and -96 to -33.</summary>
    Warning = 32,

    /// <summary>Not to be trusted: all other values.</summary>
    Contraindicated = 96,
}

/// <summary>Tiers of values, and their names.</summary>
public static class EarTiers
{
    /// <summary>The tier of a trustworthiness claim's value.</summary>
    public static EarTier Of(sbyte value) => value switch
    {
        >= -1 and <= 1 => EarTier.None,
        >= -32 and <= 31 => EarTier.Affirming,
        >= -96 and <= 95 => EarTier.Warning,
        _ => EarTier.Contraindicated,
    };

    /// <summary>The name in JSON: "none", "affirming", "warning" or "contraindicated".</summary>
    public static string Name(this EarTier tier) => tier.ToString().ToLowerInvariant();

    /// <summary>The tier of a name in JSON, or null if it is none.</summary>
    public static EarTier? Parse(string name) => name switch
    {
        "none" => EarTier.None,
        "affirming" => EarTier.Affirming,
        "warning" => EarTier.Warning,
        "contraindicated" => EarTier.Contraindicated,
        _ => null,
    };
}
