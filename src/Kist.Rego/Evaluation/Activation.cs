namespace Kist.Rego.Evaluation;

/// <summary>The variables of one rule, function call or query while it is evaluated.</summary>
sealed class Activation(RegoEvaluation evaluation, int slots, int scratch)
{
    public readonly RegoEvaluation Evaluation = evaluation;

    /// <summary>Values of variables. Which are bound at which step is known when the rule is compiled.</summary>
    public readonly RegoValue?[] Slots = slots == 0 ? [] : new RegoValue?[slots];

    /// <summary>What comprehensions collect, and the scopes that <c>with</c> left.</summary>
    public readonly object?[] Scratch = scratch == 0 ? [] : new object?[scratch];

    /// <summary>What takes the solutions.</summary>
    public Collector Collector = null!;
}
