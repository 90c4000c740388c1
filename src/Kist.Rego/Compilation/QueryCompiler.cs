using System.Collections.Immutable;
using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Compiles a query: a body whose variables, and whose expressions' values, are the result.</summary>
static class QueryCompiler
{
    public static RegoQuery Compile(ProgramContext program, Body query, bool reportsFalse)
    {
        var names = new HashSet<string>();
        var resolved = new Resolver(new Dictionary<string, Term>()).Query(query);
        foreach (var e in resolved.Expressions)
            CollectResults(e, names);
        var expressions = new List<(string Text, int Slot)>();
        var captured = Capture(resolved, reportsFalse, out var values);
        var compiler = new BodyCompiler(program, "query");
        var rule = new CompiledRule(program.Root, query.At) { Value = new ConstantNode(RegoValue.True) };
        var variables = new List<(string, int)>();
        rule.Body = compiler.Chain(() =>
        {
            compiler.Body(captured);
            variables.AddRange(names.Where(compiler.Bound.Contains).Select(n => (LocalNames.Written(n), compiler.Slot(n))));
            expressions.AddRange(values.Select(v => (v.Text, v.Name is null ? -1 : compiler.Slot(v.Name))));
            return new YieldStep(rule);
        });
        rule.SlotCount = compiler.SlotCount;
        rule.ScratchCount = compiler.ScratchCount;
        return new RegoQuery(rule, [.. variables], [.. expressions]);
    }

    private static void CollectResults(Expression e, HashSet<string> names)
    {
        Variables.Collect(e, names);
        names.RemoveWhere(n => n.StartsWith('$'));
    }

    /// <summary>Gives each plain term a variable for its value, so that a lone value of false is reported, not filtered.</summary>
    private static Body Capture(Body query, bool reportsFalse, out List<(string Text, string? Name)> values)
    {
        var result = new List<(string, string?)>();
        var expressions = new List<Expression>();
        var checks = new List<Expression>();
        var filters = !reportsFalse || query.Expressions.Count > 1 || HasVariables(query.Expressions[0]);
        foreach (var e in query.Expressions)
        {
            if (e is not TermExpression { IsNegated: false } t || t.Term.IsCall(TermNames.Unify, out _))
            {
                result.Add(("", null));
                expressions.Add(e);
                continue;
            }

            var name = $"$result{result.Count}";
            result.Add((TermText.Write(t.Term), name));
            var variable = new VariableTerm(t.At, name);
            expressions.Add(t with { Term = TermNames.Operator(t.At, TermNames.Unify, variable, t.Term) });
            if (filters)
                checks.Add(new TermExpression(t.At, variable));
        }

        values = result;
        return query with { Expressions = [.. expressions, .. checks] };
    }

    private static bool HasVariables(Expression e)
    {
        var names = new HashSet<string>();
        Variables.Collect(e, names);
        return names.Count > 0;
    }
}
