using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

sealed partial class Resolver
{
    private Term Term(Term term) => term switch
    {
        VariableTerm v => Variable(v),
        ReferenceTerm r => Join(Term(r.Head), r.Path.Select(Term).ToList(), r.At),
        CallTerm { Function: VariableTerm { Name: "print" } } c when !globals.ContainsKey("print") => c with { Arguments = c.Arguments.Select(Printed).ToList() },
        CallTerm c => new CallTerm(c.At, Function(c.Function), c.Arguments.Select(Term).ToList()),
        ArrayTerm a => a with { Items = a.Items.Select(Term).ToList() },
        SetTerm s => s with { Items = s.Items.Select(Term).ToList() },
        ObjectTerm o => o with { Entries = o.Entries.Select(e => (Term(e.Key), Term(e.Value))).ToList() },
        TemplateTerm t => t with { Parts = t.Parts.Select(Term).ToList() },
        ComprehensionTerm c => Comprehension(c),
        _ => term,
    };

    /// <summary>What is printed may be undefined: each argument becomes the set of its values, so that print never fails.</summary>
    private ComprehensionTerm Printed(Term argument)
    {
        var value = new VariableTerm(argument.At, $"$print{_next++}");
        var body = new Body(argument.At, [new TermExpression(argument.At, TermNames.Operator(argument.At, TermNames.Unify, value, Term(argument)))]);
        return new ComprehensionTerm(argument.At, ComprehensionKind.Set, null, value, body);
    }

    private Term Variable(VariableTerm v)
    {
        if (v.IsWildcard || Variables.IsRoot(v.Name))
            return v;
        if (_scope.Find(v.Name) is { } unique)
            return v with { Name = unique };
        return globals.TryGetValue(v.Name, out var global) ? Join(global, [], v.At) : v;
    }

    private ComprehensionTerm Comprehension(ComprehensionTerm c)
    {
        var outer = _scope;
        _scope = new LocalNames(outer, false);
        var body = c.Body with { Expressions = Expressions(c.Body) };
        var key = c.Key is null ? null : Term(c.Key);
        var value = Term(c.Value);
        _scope = outer;
        return c with { Body = body, Key = key, Value = value };
    }

    private Term Function(Term function)
    {
        var (head, path) = function is ReferenceTerm { Head: VariableTerm h } r ? (h, r.Path) : ((VariableTerm)function, []);
        if (Variables.IsRoot(head.Name))
            return function;
        return globals.TryGetValue(head.Name, out var global) ? Join(global, path, function.At) : function;
    }

    /// <summary>A reference with more keys, placed where it is used.</summary>
    private static Term Join(Term head, IReadOnlyList<Term> path, RegoLocation at)
    {
        if (head is ReferenceTerm r)
            return new ReferenceTerm(at, r.Head, path.Count == 0 ? r.Path : [.. r.Path, .. path]);
        return path.Count == 0 ? head : new ReferenceTerm(at, head, path);
    }
}
