namespace Kist.Rego.Evaluation;

sealed partial class Documents
{
    /// <summary>Calls a function that a policy defines; null if it is undefined for these arguments.</summary>
    public RegoValue? Call(RuleNode function, RegoValue[] arguments) => Single(function, arguments);

    /// <summary>A rule of one value, or a function: all rules that hold must agree.</summary>
    private RegoValue? Single(RuleNode node, RegoValue[]? arguments)
    {
        using var depth = evaluation.Enter(node);
        var collector = new SingleCollector(node.Kind == RuleNodeKind.Function);
        foreach (var rule in node.Rules)
        {
            RunChain(rule, arguments, collector);
            if (collector.Value is not null && node.FirstDecides)
                break;
        }

        if (collector.Value is null && node.Default is { } otherwise)
            RunRule(otherwise, arguments, collector);
        return collector.Value;
    }

    private RegoSet Set(RuleNode node)
    {
        using var depth = evaluation.Enter(node);
        var collector = new SetCollector();
        foreach (var rule in node.Rules)
            RunRule(rule, null, collector);
        return collector.Items.ToSet();
    }

    /// <summary>A rule and its <c>else</c> branches: the first that has a solution.</summary>
    private void RunChain(CompiledRule rule, RegoValue[]? arguments, Collector collector)
    {
        for (var branch = rule; branch is not null; branch = branch.Else)
        {
            if (RunRule(branch, arguments, collector))
                return;
        }
    }

    /// <summary>Runs one body.</summary>
    /// <returns>True if it had a solution.</returns>
    private bool RunRule(CompiledRule rule, RegoValue[]? arguments, Collector collector)
    {
        var activation = new Activation(evaluation, rule.SlotCount, rule.ScratchCount) { Collector = collector };
        arguments?.CopyTo(activation.Slots, 0);
        collector.Found = false;
        var tracer = evaluation.Tracer;
        tracer?.Enter(rule);
        Evaluation.Step.Run(rule.Body, activation);
        tracer?.Exit(rule, collector.Found);
        if (collector.Found)
            evaluation.Coverage?.Reach(rule.At);
        return collector.Found;
    }
}
