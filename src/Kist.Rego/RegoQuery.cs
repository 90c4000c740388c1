using System.Collections.Immutable;
using Kist.Rego.Evaluation;

namespace Kist.Rego;

/// <summary>A compiled query of a <see cref="RegoProgram"/>. It is immutable.</summary>
public sealed class RegoQuery
{
    private readonly CompiledRule _body;
    private readonly ImmutableArray<(string Name, int Slot)> _variables;
    private readonly ImmutableArray<(string Text, int Slot)> _expressions;

    internal RegoQuery(CompiledRule body, ImmutableArray<(string Name, int Slot)> variables, ImmutableArray<(string Text, int Slot)> expressions)
    {
        _body = body;
        _variables = variables;
        _expressions = expressions;
    }

    /// <summary>Evaluates the query.</summary>
    /// <exception cref="RegoException">Rules conflict, or a limit was exceeded.</exception>
    public RegoResult Evaluate(RegoEvaluationOptions options, CancellationToken cancellationToken = default)
    {
        var evaluation = new RegoEvaluation(new Scope(options.Input, options.Data), options, cancellationToken);
        var collector = new RowCollector(_variables, _expressions);
        var activation = new Activation(evaluation, _body.SlotCount, _body.ScratchCount) { Collector = collector };
        using var current = evaluation.MakeCurrent();
        try
        {
            Step.Run(_body.Body, activation);
            foreach (var row in collector.Rows)
                CheckSize(row);
        }
        catch (InsufficientExecutionStackException e)
        {
            throw new RegoException(RegoErrorCode.Limit, "values or rules are nested too deeply", default, e);
        }

        return new RegoResult([.. collector.Rows])
        {
            Trace = evaluation.FinishedTrace is { } trace ? new RegoTrace(trace.Events) : null,
            Prints = [.. evaluation.Prints],
            Steps = evaluation.Steps,
        };
    }

    private static void CheckSize(RegoRow row)
    {
        foreach (var value in row.Bindings.Values.Concat(row.Expressions.Select(e => e.Value)))
        {
            if (!ValueSize.IsWithin(value, ValueSize.MaxResult))
                throw Fault.Of(RegoErrorCode.Limit, $"the result has more than {ValueSize.MaxResult} parts", default);
        }
    }

    private sealed class RowCollector(ImmutableArray<(string Name, int Slot)> variables, ImmutableArray<(string Text, int Slot)> expressions) : Collector
    {
        public List<RegoRow> Rows { get; } = [];

        public override bool Add(Activation a, CompiledRule rule)
        {
            var bindings = ImmutableSortedDictionary.CreateBuilder<string, RegoValue>(StringComparer.Ordinal);
            foreach (var (name, slot) in variables)
                bindings[name] = a.Slots[slot]!;
            var values = expressions.Select(e => new RegoExpressionValue(e.Text, e.Slot < 0 ? RegoValue.True : a.Slots[e.Slot]!));
            Rows.Add(new RegoRow(bindings.ToImmutable(), [.. values]));
            // A query without variables has one solution at most that says anything.
            return variables.Length > 0 || expressions.Any(e => e.Slot >= 0);
        }
    }
}
