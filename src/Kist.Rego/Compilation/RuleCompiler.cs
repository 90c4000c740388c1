using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Compiles one resolved rule with its <c>else</c> branches.</summary>
static class RuleCompiler
{
    public static CompiledRule Compile(ProgramContext program, RuleNode node, RuleSyntax rule)
    {
        var body = new BodyCompiler(program, node.Path);
        var compiled = new CompiledRule(node, rule.At) { IsSet = rule.Head.Kind == RuleKind.Set };
        compiled.Body = body.Chain(() =>
        {
            Arguments(body, rule.Head.Arguments ?? []);
            body.Body(rule.Body);
            compiled.Suffix = [.. Suffix(rule).Select(body.HeadValue)];
            compiled.Value = body.HeadValue(rule.Head.Value);
            return new YieldStep(compiled);
        });
        compiled.SlotCount = body.SlotCount;
        compiled.ScratchCount = body.ScratchCount;
        if (rule.Else is not null)
            compiled.Else = Compile(program, node, rule.Else);
        return compiled;
    }

    private static IEnumerable<Term> Suffix(RuleSyntax rule) =>
        rule.Head.Path.SkipWhile(k => k is ConstantTerm { Value: RegoString });

    /// <summary>Arguments come in the first slots; a plain variable is its slot, other patterns are matched.</summary>
    private static void Arguments(BodyCompiler body, IReadOnlyList<Term> arguments)
    {
        var patterns = new List<(int Slot, Term Pattern)>();
        var seen = new HashSet<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is VariableTerm v && seen.Add(v.Name))
            {
                body.BindArgument(v.Name);
                continue;
            }

            body.BindArgument($"${i}#");
            patterns.Add((i, arguments[i]));
        }

        foreach (var (slot, pattern) in patterns)
            body.MatchSlot(slot, pattern);
    }
}
