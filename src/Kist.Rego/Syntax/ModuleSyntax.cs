namespace Kist.Rego.Syntax;

/// <summary>A parsed module. <see cref="Package"/> is the package's path without <c>data</c>.</summary>
sealed record ModuleSyntax(RegoModule Source, IReadOnlyList<string> Package, IReadOnlyList<ImportSyntax> Imports, IReadOnlyList<RuleSyntax> Rules)
{
    /// <summary>The annotations of the package.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    /// <summary>True if the module is in Rego v1, by itself or by its imports.</summary>
    public bool IsV1 { get; init; }
}

/// <summary><c>import path as alias</c>.</summary>
sealed record ImportSyntax(RegoLocation At, string Root, IReadOnlyList<string> Path, string Name);

enum RuleKind
{
    /// <summary>One value: <c>p := v</c>, <c>p[x] := v</c>, <c>a.b.c := v</c>.</summary>
    Single,

    /// <summary>A set: <c>p contains x</c>.</summary>
    Set,

    /// <summary><c>f(x) := v</c>.</summary>
    Function,
}

/// <summary>A rule: a head, a body, and what is tried when the body fails.</summary>
sealed record RuleSyntax(RegoLocation At, RuleHead Head, Body Body)
{
    public bool IsDefault { get; init; }

    /// <summary>The annotations of the rule's own scope and of its document's.</summary>
    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    /// <summary>The <c>else</c> branch; its head's value counts, its reference does not.</summary>
    public RuleSyntax? Else { get; init; }
}

/// <summary>
/// A rule's head. <see cref="Name"/> and <see cref="Path"/> are its reference; <see cref="Arguments"/> is null but for
/// functions; <see cref="Value"/> is the element for sets.
/// </summary>
sealed record RuleHead(RegoLocation At, RuleKind Kind, string Name, IReadOnlyList<Term> Path, IReadOnlyList<Term>? Arguments, Term Value)
{
    /// <summary>True if the head names a value of its own, so that <c>p := x</c> and not just <c>p</c>.</summary>
    public bool HasWrittenValue { get; init; }
}
