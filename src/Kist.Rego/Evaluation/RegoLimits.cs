namespace Kist.Rego;

/// <summary>What one evaluation may use. When one of these is exceeded, the evaluation ends with eval_limit_error.</summary>
public sealed record RegoLimits
{
    /// <summary>Limits that fit policies of a broker: a decision takes far less.</summary>
    public static RegoLimits Default { get; } = new();

    /// <summary>The number of steps: expressions tried, items looked at, bytes scanned by some built-ins.</summary>
    public long MaxSteps { get; init; } = 10_000_000;

    /// <summary>How deeply rules and functions may call each other.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>Bytes that the evaluation may allocate in all, garbage included.</summary>
    public long MaxMemoryBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>How long the evaluation may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}
