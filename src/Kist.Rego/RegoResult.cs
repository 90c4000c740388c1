using System.Collections.Immutable;

namespace Kist.Rego;

/// <summary>The solutions of a query.</summary>
public sealed class RegoResult
{
    internal RegoResult(ImmutableArray<RegoRow> rows) => Rows = rows;

    /// <summary>One row a solution; none if the query is undefined.</summary>
    public ImmutableArray<RegoRow> Rows { get; }

    /// <summary>The value of the query's first expression in its first solution; null if it is undefined.</summary>
    public RegoValue? Value => Rows.Length == 0 || Rows[0].Expressions.Length == 0 ? null : Rows[0].Expressions[0].Value;

    /// <summary>True if the query has just one solution, in which its first expression is the boolean true.</summary>
    public bool IsTrue => Rows.Length == 1 && Value is { IsTrue: true };

    /// <summary>What happened; null unless asked for.</summary>
    public RegoTrace? Trace { get; internal init; }

    /// <summary>What <c>print</c> and <c>trace</c> said.</summary>
    public ImmutableArray<string> Prints { get; internal init; } = [];

    /// <summary>The number of steps that the evaluation took.</summary>
    public long Steps { get; internal init; }
}

/// <summary>One solution.</summary>
/// <param name="Bindings">The query's variables and their values.</param>
/// <param name="Expressions">The query's expressions and their values.</param>
public sealed record RegoRow(ImmutableSortedDictionary<string, RegoValue> Bindings, ImmutableArray<RegoExpressionValue> Expressions);

/// <summary>The value of one expression.</summary>
/// <param name="Text">The expression's source.</param>
/// <param name="Value">Its value; true for assignments, comparisons that bind, and declarations.</param>
public sealed record RegoExpressionValue(string Text, RegoValue Value);
