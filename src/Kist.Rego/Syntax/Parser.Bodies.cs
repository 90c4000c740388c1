namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    private Body Query()
    {
        var body = Bodies(TokenKind.End, Here);
        return Kind == TokenKind.End ? body : throw Unexpected("expected the end of the query");
    }

    /// <summary>Expressions up to, and without, the closing token.</summary>
    private Body Bodies(TokenKind end, RegoLocation at)
    {
        using var guard = Deeper();
        var expressions = new List<Expression>();
        while (true)
        {
            expressions.Add(Literal());
            if (Try(TokenKind.Semicolon))
                continue;
            if (Kind == end || Kind == TokenKind.End)
                return new Body(at, expressions);
            if (!Current.LineBefore)
                throw Unexpected("expected a new line, ; or the end of the body");
        }
    }

    private Expression Literal()
    {
        var at = Here;
        var negated = TryKeyword("not");
        if (negated && _negatesBodies)
            return NotBody(at);
        Expression expression;
        if (IsKeyword("some"))
            expression = negated ? throw Fail("illegal negation of 'some'") : Some(at);
        else if (IsKeyword("every"))
            expression = negated ? throw Fail("illegal negation of 'every'") : Every(at);
        else
            expression = new TermExpression(at, AssignmentTerm());
        expression = expression with { IsNegated = negated };
        if (!IsKeyword("with"))
            return expression;
        return expression is SomeExpression ? throw Fail("with cannot modify 'some'") : expression with { With = Withs() };
    }

    private NotExpression NotBody(RegoLocation at)
    {
        using var guard = Deeper();
        var start = _position;
        if (Kind == TokenKind.OpenBrace && TryParse(() => new ComprehensionTerm(at, ComprehensionKind.Set, null, new ConstantTerm(at, RegoValue.True), BracedBody())) is ComprehensionTerm { Body: var body })
            return new NotExpression(at, body) { With = Withs() };
        _position = start;
        var inner = Literal();
        return new NotExpression(at, new Body(at, [inner with { With = [] }])) { With = inner.With };
    }

    /// <summary>A term, or <c>a := b</c>, or <c>a = b</c>.</summary>
    private Term AssignmentTerm()
    {
        var at = Here;
        var left = InfixTerm();
        if (Kind is not (TokenKind.Assign or TokenKind.Unify))
            return left;
        var name = Advance().Kind == TokenKind.Assign ? TermNames.Assign : TermNames.Unify;
        return TermNames.Operator(at, name, left, InfixTerm());
    }

    private Expression Some(RegoLocation at)
    {
        Advance();
        var start = _position;
        if (_keywords.Contains("in"))
        {
            var first = OrTerm();
            var second = Try(TokenKind.Comma) ? OrTerm() : null;
            if (TryKeyword("in"))
                return new SomeInExpression(at, second is null ? null : first, second ?? first, OrTerm());
            _position = start;
        }

        var variables = new List<VariableTerm>();
        do
        {
            var place = Here;
            variables.Add(new VariableTerm(place, Name("a variable")));
        }
        while (Try(TokenKind.Comma));
        return new SomeExpression(at, variables);
    }

    private EveryExpression Every(RegoLocation at)
    {
        Advance();
        var first = Variable();
        var second = Try(TokenKind.Comma) ? Variable() : null;
        if (!TryKeyword("in"))
            throw Unexpected("expected `x[, y] in xs { ... }` expression");
        var domain = InfixTerm();
        return new EveryExpression(at, second is null ? null : first, second ?? first, domain, BracedBody());
    }

    private VariableTerm Variable()
    {
        var at = Here;
        return IsWord("_") ? Wildcard(at) : new VariableTerm(at, Name("a variable"));
    }

    private VariableTerm Wildcard(RegoLocation at)
    {
        Advance();
        return new VariableTerm(at, _wildcards.Next());
    }

    private List<WithModifier> Withs()
    {
        var withs = new List<WithModifier>();
        while (IsKeyword("with"))
        {
            var at = Here;
            Advance();
            var target = SimpleTerm();
            if (target is not (VariableTerm or ReferenceTerm))
                throw FailAt(at, "expected with target path");
            if (!TryKeyword("as"))
                throw Unexpected("expected `as` keyword");
            withs.Add(new WithModifier(at, target, InfixTerm()));
        }

        return withs;
    }
}
