namespace Kist.Rego;

/// <summary>What happened in an evaluation.</summary>
public enum RegoTraceKind
{
    /// <summary>A rule's body was tried.</summary>
    Enter,

    /// <summary>It had a solution.</summary>
    Held,

    /// <summary>It had none.</summary>
    Failed,

    /// <summary>An expression of it did not hold.</summary>
    Expression,
}

/// <summary>One event.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Depth">How many rules were being evaluated around it.</param>
/// <param name="Rule">The rule's name, <c>data.policy.allow</c>.</param>
/// <param name="Location">The rule's or expression's place.</param>
/// <param name="Text">The expression's text; empty for rules.</param>
/// <param name="Values">The values of what the expression refers to.</param>
public sealed record RegoTraceEvent(
    RegoTraceKind Kind, int Depth, string Rule, RegoLocation Location, string Text, IReadOnlyList<RegoTraceValue> Values);

/// <summary>A term of an expression and its value; null if undefined.</summary>
public sealed record RegoTraceValue(string Term, RegoValue? Value);

/// <summary>What was tried in an evaluation.</summary>
public sealed class RegoTrace
{
    internal RegoTrace(IReadOnlyList<RegoTraceEvent> events) => Events = events;

    /// <summary>All events in order; at most 10,000 are kept.</summary>
    public IReadOnlyList<RegoTraceEvent> Events { get; }

    /// <summary>The expressions that failed, in order, each with the values that it failed on.</summary>
    public IEnumerable<RegoTraceEvent> Failures => Events.Where(e => e.Kind == RegoTraceKind.Expression);
}
