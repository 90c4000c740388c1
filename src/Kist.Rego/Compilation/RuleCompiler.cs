using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>What compiling a rule needs to know of its module.</summary>
/// <param name="IsV1">True for Rego v1.</param>
/// <param name="Chain">What rego.metadata.chain() gives in the rule.</param>
sealed record RuleContext(bool IsV1, Func<RegoArray> Chain);

/// <summary>Compiles one resolved rule with its <c>else</c> branches.</summary>
static class RuleCompiler
{
    public static CompiledRule Compile(ProgramContext program, RuleNode node, RuleSyntax rule, RuleContext context)
    {
        var body = new BodyCompiler(program, node.Path)
        {
            Metadata = (Metadata.OfRule(rule), context.Chain),
            RefusesDeprecated = context.IsV1,
        };
        var compiled = new CompiledRule(node, rule.At) { IsSet = rule.Head.Kind == RuleKind.Set };
        compiled.Body = body.Chain(() =>
        {
            var computed = Arguments(body, rule.Head.Arguments ?? []);
            body.Body(computed.Count == 0 ? rule.Body : rule.Body with { Expressions = [.. computed, .. rule.Body.Expressions] });
            compiled.Suffix = [.. Suffix(rule).Select(body.HeadValue)];
            compiled.Value = body.HeadValue(rule.Head.Value);
            return new YieldStep(compiled);
        });
        compiled.SlotCount = body.SlotCount;
        compiled.ScratchCount = body.ScratchCount;
        if (rule.Else is not null)
            compiled.Else = Compile(program, node, rule.Else with { Annotations = rule.Annotations }, context);
        return compiled;
    }

    private static IEnumerable<Term> Suffix(RuleSyntax rule) =>
        rule.Head.Path.SkipWhile(k => k is ConstantTerm { Value: RegoString });

    /// <summary>Arguments come in the first slots; a plain variable is its slot, other patterns are matched.</summary>
    /// <returns>Arguments that have to be computed, as expressions of the body.</returns>
    private static List<Expression> Arguments(BodyCompiler body, IReadOnlyList<Term> arguments)
    {
        var computed = new List<Expression>();
        var patterns = new List<(int Slot, Term Pattern)>();
        var seen = new HashSet<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is VariableTerm v && seen.Add(v.Name))
            {
                body.BindArgument(v.Name);
                continue;
            }

            var name = $"${i}#";
            body.BindArgument(name);
            if (IsPattern(arguments[i]))
                patterns.Add((i, arguments[i]));
            else
                computed.Add(new TermExpression(arguments[i].At, TermNames.Operator(arguments[i].At, TermNames.Unify, new VariableTerm(arguments[i].At, name), arguments[i])));
        }

        foreach (var (slot, pattern) in patterns)
            body.MatchSlot(slot, pattern);
        return computed;
    }

    private static bool IsPattern(Term term) => term switch
    {
        ConstantTerm or VariableTerm => true,
        ArrayTerm or ObjectTerm => Variables.Items(term).All(IsPattern),
        _ => false,
    };
}
