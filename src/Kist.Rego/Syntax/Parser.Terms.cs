namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    private static readonly Dictionary<TokenKind, string> Relations = new()
    {
        [TokenKind.Equal] = TermNames.Equal,
        [TokenKind.NotEqual] = "neq",
        [TokenKind.Less] = "lt",
        [TokenKind.LessOrEqual] = "lte",
        [TokenKind.Greater] = "gt",
        [TokenKind.GreaterOrEqual] = "gte",
    };

    /// <summary>A term with operators; <c>key, value in domain</c> only where a comma does not separate items.</summary>
    private Term InfixTerm() => MemberTerm(allowKey: true);

    private Term ListedTerm() => MemberTerm(allowKey: false);

    private Term MemberTerm(bool allowKey)
    {
        using var guard = Deeper();
        var at = Here;
        var left = RelationTerm();
        if (allowKey && Kind == TokenKind.Comma && _keywords.Contains("in"))
        {
            var start = _position;
            Advance();
            if (TryParse(RelationTerm) is { } value && TryKeyword("in"))
                return MoreMembers(at, TermNames.Operator(at, TermNames.Member3, left, value, RelationTerm()));
            _position = start;
            return left;
        }

        return MoreMembers(at, left);
    }

    private Term MoreMembers(RegoLocation at, Term left)
    {
        for (var n = 0; TryKeyword("in"); n++)
            left = TermNames.Operator(at, TermNames.Member2, Chained(left, n), RelationTerm());
        return left;
    }

    private Term? TryParse(Func<Term> parse)
    {
        var depth = _depth;
        try
        {
            return parse();
        }
        catch (RegoException) when (!_isHopeless)
        {
            _depth = depth;
            return null;
        }
    }

    private Term RelationTerm()
    {
        var at = Here;
        var left = OrTerm();
        for (var n = 0; Relations.TryGetValue(Kind, out var name); n++)
        {
            Advance();
            left = TermNames.Operator(at, name, Chained(left, n), OrTerm());
        }

        return left;
    }

    private Term OrTerm()
    {
        var at = Here;
        var left = AndTerm();
        for (var n = 0; Try(TokenKind.Or); n++)
            left = TermNames.Operator(at, "or", Chained(left, n), AndTerm());
        return left;
    }

    private Term AndTerm()
    {
        var at = Here;
        var left = SumTerm();
        for (var n = 0; Try(TokenKind.And); n++)
            left = TermNames.Operator(at, "and", Chained(left, n), SumTerm());
        return left;
    }

    private Term SumTerm()
    {
        var at = Here;
        var left = ProductTerm();
        for (var n = 0; Kind is TokenKind.Plus or TokenKind.Minus; n++)
            left = TermNames.Operator(at, Advance().Kind == TokenKind.Plus ? "plus" : "minus", Chained(left, n), ProductTerm());
        return left;
    }

    private Term ProductTerm()
    {
        var at = Here;
        var left = SimpleTerm();
        for (var n = 0; Kind is TokenKind.Times or TokenKind.Divide or TokenKind.Remainder; n++)
        {
            var name = Advance().Kind switch { TokenKind.Times => "mul", TokenKind.Divide => "div", _ => "rem" };
            left = TermNames.Operator(at, name, Chained(left, n), SimpleTerm());
        }

        return left;
    }

    /// <summary>A term without operators outside brackets, with what refers into it or calls it.</summary>
    private Term SimpleTerm()
    {
        using var guard = Deeper();
        if (_parsed.Remove(_position, out var earlier))
        {
            _position = earlier.End;
            return earlier.Term;
        }

        var at = Here;
        switch (Kind)
        {
            case TokenKind.Identifier: return Identifier(at);
            case TokenKind.Number: return new ConstantTerm(at, NumberValue(TextOf(Advance())));
            case TokenKind.Minus: return NegativeNumber(at);
            case TokenKind.String or TokenKind.RawString: return Continue(new ConstantTerm(at, new RegoString(StringValue(Advance()))));
            case TokenKind.TemplateString or TokenKind.RawTemplateString: return Template(at);
            case TokenKind.OpenBracket: return Continue(ArrayOrComprehension(at));
            case TokenKind.OpenBrace: return Continue(BracedTerm(at));
            case TokenKind.OpenParen:
                Advance();
                var inner = InfixTerm();
                Expect(TokenKind.CloseParen, ")");
                return inner;
            default:
                throw Unexpected("expected a term");
        }
    }

    private Term Identifier(RegoLocation at)
    {
        if (IsWord("_"))
            return Continue(Wildcard(at));
        RegoValue? constant = IsBeforeDot ? null : TextOf(Current) switch { "true" => RegoValue.True, "false" => RegoValue.False, "null" => RegoValue.Null, _ => null };
        if (constant is not null)
        {
            Advance();
            return new ConstantTerm(at, constant);
        }

        // `contains` is a function, too.
        if (IsWord("contains") && _tokens[_position + 1] is { Kind: TokenKind.OpenParen, SpaceBefore: false })
        {
            Advance();
            return Continue(new VariableTerm(at, "contains"));
        }

        return Continue(new VariableTerm(at, Name("a variable")));
    }

    /// <summary>Keys and arguments that follow a term without white space.</summary>
    private Term Continue(Term head)
    {
        for (var n = 0; !Current.SpaceBefore; n++)
        {
            Chained(head, n);
            switch (Kind)
            {
                case TokenKind.Dot:
                    Advance();
                    head = Append(head, KeyAfterDot());
                    break;
                case TokenKind.OpenBracket:
                    Advance();
                    head = Append(head, BracketKey());
                    break;
                case TokenKind.OpenParen when head is VariableTerm or ReferenceTerm { Head: VariableTerm }:
                    if (head is VariableTerm { Name: "set" } && _tokens[_position + 1].Kind == TokenKind.CloseParen)
                    {
                        _position += 2;
                        head = new ConstantTerm(head.At, RegoSet.Empty);
                        break;
                    }

                    head = new CallTerm(head.At, head, Arguments());
                    break;
                default:
                    return head;
            }
        }

        return head;
    }

    /// <summary>A chain of operators or keys is as deep as it is long.</summary>
    private Term Chained(Term left, int length) => length <= MaxDepth ? left : throw Fail("the expression is too long");

    private static ReferenceTerm Append(Term head, Term key) =>
        head is ReferenceTerm r ? r with { Path = [.. r.Path, key] } : new ReferenceTerm(head.At, head, [key]);

    private ConstantTerm KeyAfterDot()
    {
        if (Kind != TokenKind.Identifier || Current.SpaceBefore)
            throw Unexpected("expected ident");
        var at = Here;
        return new ConstantTerm(at, new RegoString(TextOf(Advance()).ToString()));
    }

    private Term BracketKey()
    {
        var key = InfixTerm();
        Expect(TokenKind.CloseBracket, "]");
        return key;
    }

    private List<Term> Arguments()
    {
        Expect(TokenKind.OpenParen, "(");
        var arguments = new List<Term>();
        if (Try(TokenKind.CloseParen))
            return arguments;
        do
        {
            if (arguments.Count > 0 && Kind == TokenKind.CloseParen)
                break;
            arguments.Add(ListedTerm());
        }
        while (Try(TokenKind.Comma));
        Expect(TokenKind.CloseParen, ", or )");
        return arguments;
    }

    private ConstantTerm NegativeNumber(RegoLocation at)
    {
        Advance();
        if (Kind != TokenKind.Number || Current.SpaceBefore)
            throw Unexpected("expected a number");
        return new ConstantTerm(at, NumberValue($"-{TextOf(Advance())}"));
    }

    private RegoNumber NumberValue(ReadOnlySpan<char> text) => RegoNumber.TryParse(text) ?? throw Fail("illegal number format");
}
