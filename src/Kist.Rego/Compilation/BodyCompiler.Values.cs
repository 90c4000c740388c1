using Kist.Rego.Builtins;
using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

sealed partial class BodyCompiler
{
    /// <summary>Compiles terms of a head after the body, or of a comprehension.</summary>
    public TermNode HeadValue(Term term) => Value(Lift(term, everything: false));

    /// <summary>A term whose variables are bound and that has at most one value.</summary>
    private TermNode Value(Term term)
    {
        switch (term)
        {
            case ConstantTerm c:
                return new ConstantNode(c.Value);
            case VariableTerm { Name: "input" }:
                return new InputNode();
            case VariableTerm { Name: "data" }:
                return new DataNode(program.DataStart([]).Start, []);
            case VariableTerm v:
                return _bound.Contains(v.Name) ? new SlotNode(Slot(v.Name)) : throw Unsafe(v);
            case ReferenceTerm { Head: VariableTerm { Name: "data" } } r:
                var (start, skip) = program.DataStart(r.Path);
                return new DataNode(start, Values(r.Path.Skip(skip)));
            case ReferenceTerm r:
                return new DereferenceNode(Value(r.Head), Values(r.Path));
            case CallTerm c:
                return Call(c);
            case ArrayTerm a:
                return new ArrayNode(Values(a.Items));
            case SetTerm s:
                return new SetNode(Values(s.Items));
            case ObjectTerm o:
                return new ObjectNode([.. o.Entries.Select(e => (Value(e.Key), Value(e.Value)))]);
            case ComprehensionTerm c:
                return Comprehension(c);
            case TemplateTerm t:
                return Template(t);
            default:
                throw new InvalidOperationException($"a term of type {term.GetType().Name} cannot be compiled");
        }
    }

    private TermNode[] Values(IEnumerable<Term> terms) => [.. terms.Select(Value)];

    private ComprehensionNode Comprehension(ComprehensionTerm c)
    {
        var scratch = _scratch++;
        var body = Chain(() =>
        {
            Body(c.Body);
            var key = c.Key is null ? null : Lift(c.Key, everything: false);
            var value = Lift(c.Value, everything: false);
            return new CollectStep(scratch, key is null ? null : Value(key), Value(value));
        });
        return new ComprehensionNode(c.Kind, scratch, body);
    }

    private TemplateNode Template(TemplateTerm template) => new(Values(template.Parts));

    private TermNode Call(CallTerm c)
    {
        if (program.Functions.Function(c.Function) is { } function)
            return new FunctionNode(function, Values(c.Arguments), c.At);
        if (Metadata is { } metadata && TermNames.OfFunction(c.Function) is "rego.metadata.rule" or "rego.metadata.chain")
            return new ConstantNode(TermNames.OfFunction(c.Function) == "rego.metadata.rule" ? metadata.Rule : metadata.Chain());
        return new BuiltinNode(BuiltinOf(c)!, Values(c.Arguments), c.At);
    }

    private Builtin? BuiltinOf(CallTerm c) =>
        program.Functions.Function(c.Function) is null && TermNames.OfFunction(c.Function) is { } name ? program.Functions.Builtin(name) : null;

    /// <summary>The function is there, and the number of arguments fits.</summary>
    private void CheckCall(CallTerm c)
    {
        var name = TermNames.OfFunction(c.Function);
        if (program.Functions.Arity(c) is not { } arity)
            throw new RegoException(RegoErrorCode.Type, $"undefined function {name ?? "?"}", c.At);
        if (RefusesDeprecated && BuiltinOf(c) is { } builtin && BuiltinTable.IsDeprecated(builtin.Name))
            throw new RegoException(RegoErrorCode.Type, $"deprecated built-in function calls in expression: {name}", c.At);
        if (arity >= 0 && c.Arguments.Count != arity && c.Arguments.Count != arity + 1)
        {
            var problem = c.Arguments.Count < arity ? "not enough arguments" : "too many arguments";
            throw new RegoException(RegoErrorCode.Type, $"{name}: arity mismatch: {problem}: have {c.Arguments.Count}, want {arity}", c.At);
        }

        _types.Call(c);
    }

    private static RegoException Unsafe(VariableTerm v) =>
        new(RegoErrorCode.UnsafeVariable, $"var {(v.IsWildcard ? "_" : LocalNames.Written(v.Name))} is unsafe", v.At);

    private Replacement With(WithModifier with)
    {
        var target = with.Target;
        var (head, path) = target is ReferenceTerm { Head: VariableTerm h } r ? (h.Name, r.Path) : (((VariableTerm)target).Name, []);
        if (Variables.IsRoot(head) && path.Any(k => k is not ConstantTerm))
            throw new RegoException(RegoErrorCode.Compile, "with keyword target must not contain variables", with.At);
        var keys = path.Select(k => k is ConstantTerm c ? c.Value : RegoValue.Null).ToArray();
        if (head == "input")
            return new Replacement(ReplacementKind.Input, HeadValue(with.Value)) { Path = keys };
        if (head == "data" && program.Functions.Function(target) is { } function)
            return FunctionReplacement(function, with.Value);
        if (head == "data")
            return new Replacement(ReplacementKind.Data, HeadValue(with.Value)) { Path = keys, Node = program.ReplaceableNode(keys, with.At) };
        if (TermNames.OfFunction(target) is { } name && program.Functions.Builtin(name) is { } builtin)
            return FunctionReplacement(builtin, with.Value);
        throw new RegoException(RegoErrorCode.Type, $"with keyword target must reference existing input, data, or a function: {TermNames.OfFunction(target)}", with.At);
    }

    private Replacement FunctionReplacement(object target, Term value)
    {
        var mock = program.Functions.Function(value) is { } function ? new Mock(function, null, null)
            : value is FunctionNameTerm name && program.Functions.Builtin(name.Name) is { } builtin ? new Mock(null, builtin, null)
            : null;
        return new Replacement(ReplacementKind.Function, mock is null ? HeadValue(value) : null) { Target = target, Mock = mock };
    }

    /// <summary>What a trace shows of an expression: its references and bound variables.</summary>
    private ExpressionNote NoteOf(Expression e)
    {
        var operands = new List<(string, TermNode)>();
        if (e is TermExpression t)
            AddOperands(t.Term, operands);
        else if (e is SomeInExpression s)
            AddOperands(s.Domain, operands);
        else if (e is EveryExpression every)
            AddOperands(every.Domain, operands);
        return new ExpressionNote(e.At, ruleName, program.LineAt(e.At), operands);
    }

    private void AddOperands(Term term, List<(string Text, TermNode)> operands)
    {
        const int Most = 8;
        switch (term)
        {
            case ReferenceTerm or VariableTerm when IsGround(term) && term is not VariableTerm { Name: "data" }:
                var text = TermText.Write(term);
                if (operands.Count < Most && operands.TrueForAll(o => o.Text != text) && !HasCalls(term))
                    operands.Add((text, Value(term)));
                break;
            case CallTerm c:
                foreach (var argument in c.Arguments)
                    AddOperands(argument, operands);
                break;
            default:
                foreach (var item in Variables.Items(term))
                    AddOperands(item, operands);
                break;
        }
    }

    private static bool HasCalls(Term term) =>
        term is CallTerm or ComprehensionTerm || (term is ReferenceTerm r && (HasCalls(r.Head) || r.Path.Any(HasCalls))) || Variables.Items(term).Any(HasCalls);
}
