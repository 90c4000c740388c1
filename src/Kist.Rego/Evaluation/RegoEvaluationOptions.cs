namespace Kist.Rego;

/// <summary>What one evaluation is given beside the policy.</summary>
public sealed record RegoEvaluationOptions
{
    /// <summary>The <c>input</c> document; null if there is none.</summary>
    public RegoValue? Input { get; init; }

    /// <summary>The base document under <c>data</c>; null if there is none.</summary>
    public RegoValue? Data { get; init; }

    /// <summary>What it may use.</summary>
    public RegoLimits Limits { get; init; } = RegoLimits.Default;

    /// <summary>
    /// Implementations of extension functions for this evaluation; they take precedence over those that the policy was
    /// compiled with. Null for none.
    /// </summary>
    public RegoExtensions? Extensions { get; init; }

    /// <summary>True if a built-in that fails ends the evaluation; otherwise its call is undefined.</summary>
    public bool StrictBuiltInErrors { get; init; }

    /// <summary>True to record which rules were tried and what failed.</summary>
    public bool Trace { get; init; }

    /// <summary>What notes which lines are reached; null for none.</summary>
    public RegoCoverage? Coverage { get; init; }

    /// <summary>The clock of <c>time.now_ns</c>, read once an evaluation.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The seed of <c>rand.intn</c>; null for a new one each time.</summary>
    public ulong? Seed { get; init; }

    /// <summary>What <c>opa.runtime()</c> gives; null for an empty object.</summary>
    public RegoValue? Runtime { get; init; }
}
