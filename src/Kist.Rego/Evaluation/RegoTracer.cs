namespace Kist.Rego.Evaluation;

/// <summary>Records what was tried.</summary>
sealed class RegoTracer
{
    private const int MaxEvents = 10_000;

    private readonly List<RegoTraceEvent> _events = [];
    private int _depth;

    public IReadOnlyList<RegoTraceEvent> Events => _events;

    public void Enter(CompiledRule rule)
    {
        Record(new RegoTraceEvent(RegoTraceKind.Enter, _depth, rule.Node.Path, rule.At, "", []));
        _depth++;
    }

    public void Exit(CompiledRule rule, bool found)
    {
        _depth--;
        Record(new RegoTraceEvent(found ? RegoTraceKind.Held : RegoTraceKind.Failed, _depth, rule.Node.Path, rule.At, "", []));
    }

    /// <summary>An expression that did not hold, with the values of what it refers to.</summary>
    public void Failed(Step step, Activation a)
    {
        if (step.Note is not { } note)
            return;
        using var quiet = a.Evaluation.Quiet();
        var values = new List<RegoTraceValue>(note.Operands.Count);
        foreach (var (text, term) in note.Operands)
            values.Add(new RegoTraceValue(text, ValueOf(term, a)));
        Record(new RegoTraceEvent(RegoTraceKind.Expression, _depth, note.Rule, note.At, note.Text, values));
    }

    /// <summary>A term that the expression did not get to may fail where the expression did not.</summary>
    private static RegoValue? ValueOf(TermNode term, Activation a)
    {
        try
        {
            return term.Evaluate(a) is not { } value ? null
                : ValueSize.IsWithin(value, ValueSize.MaxTraced) ? value : new RegoString("(too large to show)");
        }
        catch (RegoException e) when (e.Code is not (RegoErrorCode.Limit or RegoErrorCode.Cancelled))
        {
            return null;
        }
    }

    private void Record(RegoTraceEvent e)
    {
        if (_events.Count < MaxEvents)
            _events.Add(e);
    }
}

/// <summary>What a trace says of an expression: its text, and the terms in it whose values explain it.</summary>
sealed record ExpressionNote(RegoLocation At, string Rule, string Text, List<(string Text, TermNode Term)> Operands);
