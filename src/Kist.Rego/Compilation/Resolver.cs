using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>
/// Resolves a module's names: variables that are rules or imports become references into <c>data</c> or <c>input</c>,
/// declared variables get unique names, and <c>:=</c> becomes <c>=</c>.
/// </summary>
sealed partial class Resolver(IReadOnlyDictionary<string, Term> globals)
{
    private int _next;
    private LocalNames _scope = new(null, false);

    /// <summary>Resolves a rule with its <c>else</c> branches.</summary>
    public RuleSyntax Rule(RuleSyntax rule)
    {
        _scope = new LocalNames(null, true);
        var head = rule.Head;
        if (head.Arguments is not null)
            DeclareArguments(head.Arguments);
        var arguments = head.Arguments?.Select(Term).ToList();
        return Branch(rule, head with { Arguments = arguments });
    }

    /// <summary>Resolves a query.</summary>
    public Body Query(Body query)
    {
        _scope = new LocalNames(null, false);
        return query with { Expressions = Expressions(query) };
    }

    private RuleSyntax Branch(RuleSyntax rule, RuleHead head)
    {
        var outer = _scope;
        _scope = new LocalNames(outer, false);
        var body = rule.Body with { Expressions = Expressions(rule.Body) };
        var path = head.Path.Select(Term).ToList();
        var value = Term(rule.Head.Value);
        _scope = outer;
        return rule with
        {
            Head = head with { Path = path, Value = value },
            Body = body,
            Else = rule.Else is null ? null : Branch(rule.Else, head with { Value = rule.Else.Head.Value }),
        };
    }

    private void DeclareArguments(IReadOnlyList<Term> arguments)
    {
        var names = new HashSet<string>();
        foreach (var argument in arguments)
            Variables.CollectPattern(argument, names);
        foreach (var name in names.Where(n => !n.StartsWith('$')))
            _scope.Declare(new VariableTerm(arguments[0].At, name), "declared", ref _next);
    }

    private List<Expression> Expressions(Body body)
    {
        _scope.Announce(body.Expressions.SelectMany(Declared));
        return body.Expressions.Select(Expression).ToList();
    }

    /// <summary>The names that an expression declares in its body.</summary>
    private static HashSet<string> Declared(Expression e)
    {
        var names = new HashSet<string>();
        switch (e)
        {
            case TermExpression { Term: var term } when term.IsCall(TermNames.Assign, out var call):
                Variables.CollectPattern(call.Arguments[0], names);
                break;
            case SomeExpression some:
                names.UnionWith(some.Variables.Select(v => v.Name));
                break;
            case SomeInExpression someIn:
                if (someIn.Key is not null)
                    Variables.CollectPattern(someIn.Key, names);
                Variables.CollectPattern(someIn.Value, names);
                break;
        }

        names.RemoveWhere(n => n.StartsWith('$'));
        return names;
    }

    private Expression Expression(Expression e)
    {
        var with = e.With.Select(With).ToList();
        return e switch
        {
            SomeExpression some => Some(some),
            SomeInExpression some => SomeIn(some) with { With = with },
            EveryExpression every => Every(every) with { With = with },
            NotExpression not => Not(not) with { With = with },
            TermExpression { Term: var term } t when term.IsCall(TermNames.Assign, out var call) => t with { Term = Assignment(t, call), With = with },
            TermExpression t => t with { Term = Term(t.Term), With = with },
            _ => e,
        };
    }

    private NotExpression Not(NotExpression not)
    {
        var outer = _scope;
        _scope = new LocalNames(outer, false);
        var body = not.Body with { Expressions = Expressions(not.Body) };
        _scope = outer;
        return not with { Body = body };
    }

    private SomeExpression Some(SomeExpression some)
    {
        foreach (var variable in some.Variables)
        {
            if (!variable.IsWildcard)
                _scope.Declare(variable, "declared", ref _next);
        }

        return some;
    }

    private SomeInExpression SomeIn(SomeInExpression some)
    {
        var domain = Term(some.Domain);
        Declare(some.Key, "declared");
        Declare(some.Value, "declared");
        return some with { Key = some.Key is null ? null : Term(some.Key), Value = Term(some.Value), Domain = domain };
    }

    private EveryExpression Every(EveryExpression every)
    {
        var domain = Term(every.Domain);
        var outer = _scope;
        _scope = new LocalNames(outer, false);
        Declare(every.Key, "declared");
        Declare(every.Value, "declared");
        var key = every.Key is null ? null : (VariableTerm)Term(every.Key);
        var value = (VariableTerm)Term(every.Value);
        _scope = new LocalNames(_scope, false);
        var body = every.Body with { Expressions = Expressions(every.Body) };
        _scope = outer;
        return every with { Key = key, Value = value, Domain = domain, Body = body };
    }

    private CallTerm Assignment(TermExpression e, CallTerm call)
    {
        if (e.IsNegated)
            throw new RegoException(RegoErrorCode.Compile, "cannot assign vars inside negated expression", e.At);
        var value = Term(call.Arguments[1]);
        CheckAssignable(call.Arguments[0]);
        Declare(call.Arguments[0], "assigned");
        return TermNames.Operator(call.At, TermNames.Unify, Term(call.Arguments[0]), value);
    }

    private static void CheckAssignable(Term target)
    {
        switch (target)
        {
            case ReferenceTerm or VariableTerm { Name: "data" or "input" }:
                throw new RegoException(RegoErrorCode.Compile, "cannot assign to ref", target.At);
            case CallTerm:
                throw new RegoException(RegoErrorCode.Compile, "cannot assign to call", target.At);
            case ComprehensionTerm:
                throw new RegoException(RegoErrorCode.Compile, "cannot assign to comprehension", target.At);
            case SetTerm:
                throw new RegoException(RegoErrorCode.Compile, "cannot assign to set", target.At);
            default:
                foreach (var item in Variables.Items(target))
                    CheckAssignable(item);
                break;
        }
    }

    private void Declare(Term? pattern, string how)
    {
        if (pattern is null)
            return;
        var names = new HashSet<string>();
        Variables.CollectPattern(pattern, names);
        foreach (var name in names.Where(n => !n.StartsWith('$')))
            _scope.Declare(new VariableTerm(pattern.At, name), how, ref _next);
    }

    private WithModifier With(WithModifier with)
    {
        var (head, path) = with.Target is ReferenceTerm { Head: VariableTerm h } r ? (h, r.Path) : ((VariableTerm)with.Target, []);
        var target = with.Target;
        if (!Variables.IsRoot(head.Name) && globals.TryGetValue(head.Name, out var global))
            target = Join(global, path, with.At);
        return with with { Target = target, Value = FunctionOrTerm(with.Value) };
    }

    /// <summary>What a function is replaced with may be a function's name, which no variable has.</summary>
    private Term FunctionOrTerm(Term value) =>
        TermNames.OfFunction(value) is { } name && Builtins.BuiltinTable.Find(name) is not null && _scope.Find(name) is null && !globals.ContainsKey(name)
            ? new FunctionNameTerm(value.At, name)
            : Term(value);
}
