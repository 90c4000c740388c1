namespace Kist.Rego.Syntax;

/// <summary>A conjunction of expressions.</summary>
sealed record Body(RegoLocation At, IReadOnlyList<Expression> Expressions);

/// <summary>One expression of a body.</summary>
abstract record Expression(RegoLocation At)
{
    /// <summary>True under <c>not</c>.</summary>
    public bool IsNegated { get; init; }

    /// <summary>The replacements that hold while it is evaluated.</summary>
    public IReadOnlyList<WithModifier> With { get; init; } = [];
}

/// <summary>A term that must not be false: a reference, a call, a comparison, an assignment.</summary>
sealed record TermExpression(RegoLocation At, Term Term) : Expression(At);

/// <summary>
/// <c>not { body }</c>, and <c>not e</c> where <c>future.keywords.not</c> is imported: all that is nested in it belongs to
/// what is negated.
/// </summary>
sealed record NotExpression(RegoLocation At, Body Body) : Expression(At);

/// <summary><c>some x, y</c>.</summary>
sealed record SomeExpression(RegoLocation At, IReadOnlyList<VariableTerm> Variables) : Expression(At);

/// <summary><c>some key, value in domain</c>.</summary>
sealed record SomeInExpression(RegoLocation At, Term? Key, Term Value, Term Domain) : Expression(At);

/// <summary><c>every key, value in domain { body }</c>.</summary>
sealed record EveryExpression(RegoLocation At, VariableTerm? Key, VariableTerm Value, Term Domain, Body Body) : Expression(At);

/// <summary><c>with target as value</c>.</summary>
sealed record WithModifier(RegoLocation At, Term Target, Term Value);
