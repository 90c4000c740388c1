namespace Kist.Rego.Syntax;

/// <summary>
/// A module's syntax as a value, in the shape of OPA's JSON: terms are <c>{type, value}</c>. Locations and annotations
/// are left out, as OPA leaves them out unless asked.
/// </summary>
static class ModuleTree
{
    public static RegoValue Of(ModuleSyntax module)
    {
        var members = new RegoObjectBuilder { [Text("package")] = RegoValue.ObjectOf(("path", Path("data", module.Package))) };
        if (module.Imports.Count > 0)
            members[Text("imports")] = List(module.Imports, Import);
        if (module.Rules.Count > 0)
            members[Text("rules")] = List(module.Rules, Rule);
        return members.ToObject();
    }

    private static RegoValue Import(ImportSyntax import)
    {
        var path = ("path", Typed("ref", Path(import.Root, import.Path)));
        var implied = import.Path.Count == 0 ? import.Root : import.Path[^1];
        return import.Name == implied ? RegoValue.ObjectOf(path) : RegoValue.ObjectOf(path, ("alias", Text(import.Name)));
    }

    private static RegoValue Rule(RuleSyntax rule)
    {
        var members = new RegoObjectBuilder
        {
            [Text("head")] = Head(rule.Head),
            [Text("body")] = Body(rule.Body),
        };
        if (rule.IsDefault)
            members[Text("default")] = RegoValue.True;
        if (rule.Else is { } other)
            members[Text("else")] = Rule(other);
        return members.ToObject();
    }

    private static RegoObject Head(RuleHead head)
    {
        var members = new RegoObjectBuilder
        {
            [Text("name")] = Text(head.Name),
            [Text("ref")] = RegoValue.ArrayOf([Typed("var", Text(head.Name)), .. head.Path.Select(TermOf)]),
            [Text(head.Kind == RuleKind.Set ? "key" : "value")] = TermOf(head.Value),
        };
        if (head.Arguments is { } arguments)
            members[Text("args")] = List(arguments, TermOf);
        return members.ToObject();
    }

    private static RegoValue Body(Body body) =>
        RegoValue.ArrayOf([.. body.Expressions.Select((e, i) => ExpressionOf(e, i))]);

    private static RegoObject ExpressionOf(Expression e, int index)
    {
        var members = new RegoObjectBuilder { [Text("index")] = RegoNumber.FromInt64(index), [Text("terms")] = Terms(e) };
        if (e.IsNegated || e is NotExpression)
            members[Text("negated")] = RegoValue.True;
        if (e.With.Count > 0)
            members[Text("with")] = List(e.With, w => RegoValue.ObjectOf(("target", TermOf(w.Target)), ("value", TermOf(w.Value))));
        return members.ToObject();
    }

    private static RegoValue Terms(Expression e) => e switch
    {
        TermExpression { Term: CallTerm call } => Call(call),
        TermExpression t => TermOf(t.Term),
        NotExpression not => Body(not.Body),
        SomeExpression some => RegoValue.ObjectOf(("symbols", List(some.Variables, TermOf))),
        SomeInExpression some => RegoValue.ObjectOf(("symbols", RegoValue.ArrayOf([some.Key is null
            ? Typed("call", RegoValue.ArrayOf([Operator(TermNames.Member2), TermOf(some.Value), TermOf(some.Domain)]))
            : Typed("call", RegoValue.ArrayOf([Operator(TermNames.Member3), TermOf(some.Key), TermOf(some.Value), TermOf(some.Domain)]))]))),
        EveryExpression every => RegoValue.ObjectOf(
            ("key", every.Key is null ? RegoValue.Null : TermOf(every.Key)),
            ("value", TermOf(every.Value)),
            ("domain", TermOf(every.Domain)),
            ("body", Body(every.Body))),
        _ => RegoValue.Null,
    };

    private static RegoValue TermOf(Term term) => term switch
    {
        ConstantTerm c => Constant(c.Value),
        VariableTerm v => Typed("var", Text(v.Name)),
        FunctionNameTerm f => Operator(f.Name),
        ReferenceTerm r => Typed("ref", RegoValue.ArrayOf([TermOf(r.Head), .. r.Path.Select(TermOf)])),
        ArrayTerm a => Typed("array", List(a.Items, TermOf)),
        SetTerm s => Typed("set", List(s.Items, TermOf)),
        ObjectTerm o => Typed("object", List(o.Entries, e => RegoValue.ArrayOf([TermOf(e.Key), TermOf(e.Value)]))),
        CallTerm c => Typed("call", Call(c)),
        TemplateTerm t => Typed("templatestring", RegoValue.ObjectOf(("parts", List(t.Parts, TermOf)))),
        ComprehensionTerm c => Typed($"{c.Kind.ToString().ToLowerInvariant()}comprehension", Comprehension(c)),
        _ => RegoValue.Null,
    };

    private static RegoValue Comprehension(ComprehensionTerm c) => c.Key is null
        ? RegoValue.ObjectOf(("term", TermOf(c.Value)), ("body", Body(c.Body)))
        : RegoValue.ObjectOf(("key", TermOf(c.Key)), ("value", TermOf(c.Value)), ("body", Body(c.Body)));

    private static RegoValue Constant(RegoValue value) => value switch
    {
        RegoArray a => Typed("array", RegoValue.ArrayOf([.. a.Items.ToArray().Select(Constant)])),
        RegoSet s => Typed("set", RegoValue.ArrayOf([.. s.Items.ToArray().Select(Constant)])),
        RegoObject o => Typed("object", RegoValue.ArrayOf([.. Evaluation.Items.Of(o).Select(e => RegoValue.ArrayOf([Constant(e.Item1), Constant(e.Item2)]))])),
        _ => Typed(value.Type.ToString().ToLowerInvariant(), value),
    };

    private static RegoValue Call(CallTerm call) =>
        RegoValue.ArrayOf([TermNames.OfFunction(call.Function) is { } name ? Operator(name) : TermOf(call.Function), .. call.Arguments.Select(TermOf)]);

    private static RegoValue Operator(string name)
    {
        var parts = name.Split('.');
        return Typed("ref", Path(parts[0], parts[1..]));
    }

    private static RegoValue Path(string root, IReadOnlyList<string> keys) =>
        RegoValue.ArrayOf([Typed("var", Text(root)), .. keys.Select(k => Typed("string", Text(k)))]);

    private static RegoValue Typed(string type, RegoValue value) => RegoValue.ObjectOf(("type", Text(type)), ("value", value));

    private static RegoValue List<T>(IEnumerable<T> items, Func<T, RegoValue> convert) => RegoValue.ArrayOf([.. items.Select(convert)]);

    private static RegoString Text(string text) => new(text);
}
