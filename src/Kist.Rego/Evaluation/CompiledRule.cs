namespace Kist.Rego.Evaluation;

/// <summary>One rule, ready to run: a chain of steps that ends in yielding <see cref="Value"/>.</summary>
sealed class CompiledRule(RuleNode node, RegoLocation at)
{
    public RuleNode Node => node;

    public RegoLocation At => at;

    /// <summary>The first step of the body.</summary>
    public Step Body { get; set; } = null!;

    /// <summary>The keys after the fixed part of the name; empty but for objects with computed keys.</summary>
    public TermNode[] Suffix { get; set; } = [];

    /// <summary>The value, or the element of a set.</summary>
    public TermNode Value { get; set; } = null!;

    /// <summary>True for <c>contains</c>.</summary>
    public bool IsSet { get; set; }

    /// <summary>True if the value does not depend on the body: one solution is enough.</summary>
    public bool ValueIsConstant => Value is ConstantNode;

    /// <summary>What is tried when the body has no solution.</summary>
    public CompiledRule? Else { get; set; }

    public int SlotCount { get; set; }

    public int ScratchCount { get; set; }
}
