namespace Kist.Rego.Evaluation;

/// <summary>
/// <c>with</c>: enters a scope with replacements, runs the expression, and leaves the scope before what follows it.
/// </summary>
sealed class WithStep(Replacement[] replacements, Step inner, int scratch) : BranchStep
{
    public override bool Run(Activation a)
    {
        var evaluation = a.Evaluation;
        var outer = evaluation.Scope;
        if (Enter(a) is not { } scope)
            return true;
        var saved = a.Scratch[scratch];
        a.Scratch[scratch] = outer;
        evaluation.Scope = scope;
        try
        {
            return Run(inner, a);
        }
        finally
        {
            evaluation.Scope = outer;
            a.Scratch[scratch] = saved;
        }
    }

    /// <summary>The scope with all replacements; null if a value is undefined.</summary>
    private Scope? Enter(Activation a)
    {
        var outer = a.Evaluation.Scope;
        var (input, data, masked, mocks) = (outer.Input, outer.Data, outer.Masked, outer.Mocks);
        var values = new RegoValue?[replacements.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var r = replacements[i];
            if (r.Value is not null && (values[i] = r.Value.Evaluate(a)) is null)
                return null;
        }

        for (var i = 0; i < values.Length; i++)
        {
            var r = replacements[i];
            switch (r.Kind)
            {
                case ReplacementKind.Input:
                    input = Put(input, r.Path, 0, values[i]!, strict: null);
                    break;
                case ReplacementKind.Data:
                    data = Put(data ?? RegoObject.Empty, r.Path, 0, values[i]!, a.Evaluation);
                    if (r.Node is not null)
                        masked = masked is null ? [r.Node] : [.. masked, r.Node];
                    break;
                default:
                    mocks = mocks is null ? [] : new(mocks);
                    mocks[r.Target!] = r.Mock ?? new Mock(null, null, values[i]);
                    break;
            }
        }

        return new Scope(input, data) { Masked = masked, Mocks = mocks };
    }

    private static RegoValue Put(RegoValue? document, RegoValue[] path, int i, RegoValue value, RegoEvaluation? strict)
    {
        if (i == path.Length)
            return value;
        if (document is not (RegoObject or null) && strict is not null)
            throw Fault.Of(RegoErrorCode.WithMerge, "real and replacement data could not be merged", default);
        var o = document as RegoObject ?? RegoObject.Empty;
        return new RegoObjectBuilder(o) { [path[i]] = Put(o.Get(path[i]), path, i + 1, value, strict) }.ToObject();
    }
}

/// <summary>The end of an expression under <c>with</c>: the rest of the body runs outside.</summary>
sealed class WithEndStep(int scratch) : BranchStep
{
    public override bool Run(Activation a)
    {
        var evaluation = a.Evaluation;
        var inner = evaluation.Scope;
        evaluation.Scope = (Scope)a.Scratch[scratch]!;
        var more = Run(Next, a);
        evaluation.Scope = inner;
        return more;
    }
}

enum ReplacementKind
{
    Input,
    Data,
    Function,
}

/// <summary>One <c>with</c> modifier.</summary>
sealed record Replacement(ReplacementKind Kind, TermNode? Value)
{
    /// <summary>The path below <c>input</c> or <c>data</c>.</summary>
    public RegoValue[] Path { get; init; } = [];

    /// <summary>The node of virtual documents at the path, or null if there is none.</summary>
    public RuleNode? Node { get; init; }

    /// <summary>The function that is replaced.</summary>
    public object? Target { get; init; }

    /// <summary>The function that replaces it; null for a value.</summary>
    public Mock? Mock { get; init; }
}
