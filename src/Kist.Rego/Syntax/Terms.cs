namespace Kist.Rego.Syntax;

/// <summary>A term: what stands for a value.</summary>
abstract record Term(RegoLocation At);

/// <summary>A constant, written as one or folded to one.</summary>
sealed record ConstantTerm(RegoLocation At, RegoValue Value) : Term(At);

/// <summary>A variable. A wildcard has a generated name.</summary>
sealed record VariableTerm(RegoLocation At, string Name) : Term(At)
{
    public bool IsWildcard => Name.StartsWith('$');
}

/// <summary>A reference: a head and at least one key, <c>head[key]…</c>.</summary>
sealed record ReferenceTerm(RegoLocation At, Term Head, IReadOnlyList<Term> Path) : Term(At);

/// <summary>An array.</summary>
sealed record ArrayTerm(RegoLocation At, IReadOnlyList<Term> Items) : Term(At);

/// <summary>A set.</summary>
sealed record SetTerm(RegoLocation At, IReadOnlyList<Term> Items) : Term(At);

/// <summary>An object.</summary>
sealed record ObjectTerm(RegoLocation At, IReadOnlyList<(Term Key, Term Value)> Entries) : Term(At);

/// <summary>A call; <see cref="Function"/> is a dotted name, or a path below <c>data</c> once resolved.</summary>
sealed record CallTerm(RegoLocation At, Term Function, IReadOnlyList<Term> Arguments) : Term(At);

/// <summary>The name of a built-in function where it stands for the function itself: as what <c>with</c> puts in another's place.</summary>
sealed record FunctionNameTerm(RegoLocation At, string Name) : Term(At);

/// <summary>A template string: texts and terms in turn.</summary>
sealed record TemplateTerm(RegoLocation At, IReadOnlyList<Term> Parts) : Term(At);

enum ComprehensionKind
{
    Array,
    Set,
    Object,
}

/// <summary>A comprehension. <see cref="Key"/> is null but for objects.</summary>
sealed record ComprehensionTerm(RegoLocation At, ComprehensionKind Kind, Term? Key, Term Value, Body Body) : Term(At);
