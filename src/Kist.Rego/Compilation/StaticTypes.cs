using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>The types that a term's value can have, as far as that is known before evaluation.</summary>
[Flags]
enum StaticTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Number = 4,
    String = 8,
    Array = 16,
    Object = 32,
    Set = 64,
    Scalar = Null | Boolean | Number | String,
    Any = Scalar | Array | Object | Set,
}

static class StaticTypeNames
{
    private static readonly StaticTypes[] Each =
        [StaticTypes.Array, StaticTypes.Boolean, StaticTypes.Null, StaticTypes.Number, StaticTypes.Object, StaticTypes.Set, StaticTypes.String];

    public static StaticTypes Of(RegoValue value) => (StaticTypes)(1 << (int)value.Type);

    /// <summary>As messages name them: <c>any</c>, <c>number</c>, <c>any&lt;array, set&gt;</c>.</summary>
    public static string Name(this StaticTypes types)
    {
        if (types == StaticTypes.Any)
            return "any";
        var names = Each.Where(t => types.HasFlag(t)).Select(t => t.ToString().ToLowerInvariant()).ToList();
        return names.Count == 1 ? names[0] : $"any<{string.Join(", ", names)}>";
    }
}

/// <summary>
/// Finds errors of types that are certain: an operand of a built-in function, a side of <c>=</c> or the head of a reference
/// that no evaluation can make fit. It never refuses what could hold; everything that comes from input, data, rules and
/// functions of policies can be anything.
/// </summary>
sealed class TypeChecker(ProgramContext program)
{
    private readonly Dictionary<string, StaticTypes> _variables = new(StringComparer.Ordinal);

    /// <summary>Remembers what a variable was bound to.</summary>
    public void Bind(string variable, Term value) => _variables[variable] = Of(value);

    public StaticTypes Of(Term term) => term switch
    {
        ConstantTerm c => StaticTypeNames.Of(c.Value),
        VariableTerm v => _variables.GetValueOrDefault(v.Name, StaticTypes.Any),
        ArrayTerm or ComprehensionTerm { Kind: ComprehensionKind.Array } => StaticTypes.Array,
        SetTerm or ComprehensionTerm { Kind: ComprehensionKind.Set } => StaticTypes.Set,
        ObjectTerm or ComprehensionTerm => StaticTypes.Object,
        TemplateTerm => StaticTypes.String,
        CallTerm c => BuiltinSignatures.Find(NameOf(c))?.Result ?? StaticTypes.Any,
        _ => StaticTypes.Any,
    };

    /// <summary>Checks the operands of a call; the last argument may be one more than the function takes: its value.</summary>
    /// <exception cref="RegoException">rego_type_error: no value of an operand's types will do.</exception>
    public void Call(CallTerm call)
    {
        var name = NameOf(call);
        if (BuiltinSignatures.Find(name) is not { } signature)
            return;
        var wanted = signature.Operands.Append(signature.Result).Take(call.Arguments.Count).ToList();
        var given = call.Arguments.Select(Of).ToList();
        if (wanted.Zip(given).Any(p => (p.First & p.Second) == 0))
        {
            throw new RegoException(
                RegoErrorCode.Type, $"{name}: invalid argument(s)\n\thave: ({Names(given)})\n\twant: ({Names(wanted)})", call.At);
        }
    }

    /// <summary>Checks that two sides of <c>=</c> can be equal.</summary>
    /// <exception cref="RegoException">rego_type_error: they have no type in common.</exception>
    public void Match(Term left, Term right)
    {
        var (a, b) = (Of(left), Of(right));
        if ((a & b) == 0)
            throw new RegoException(RegoErrorCode.Type, $"match error\n\tleft  : {a.Name()}\n\tright : {b.Name()}", left.At);
    }

    /// <summary>Checks that a reference's head can have something in it.</summary>
    /// <exception cref="RegoException">rego_type_error: it is a scalar.</exception>
    public void Reference(ReferenceTerm reference)
    {
        var head = Of(reference.Head);
        if ((head & ~StaticTypes.Scalar) == 0)
            throw new RegoException(RegoErrorCode.Type, $"undefined ref: {TermText.Write(reference)}\n\thave: {head.Name()}", reference.At);
    }

    private string? NameOf(CallTerm call) => program.Functions.Function(call.Function) is null ? TermNames.OfFunction(call.Function) : null;

    private static string Names(IEnumerable<StaticTypes> types) => string.Join(", ", types.Select(t => t.Name()));
}
