namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    private void Rules(List<RuleSyntax> rules)
    {
        var at = Here;
        var isDefault = TryKeyword("default");
        var head = Head(at);
        if (isDefault)
        {
            rules.Add(DefaultRule(at, head));
            return;
        }

        var hasIf = IsKeyword("if");
        head = Classify(head, hasIf);
        var body = RuleBody(head, hasIf);
        var rule = new RuleSyntax(at, head.ToHead(), body ?? TrueBody(at));
        if (IsKeyword("else"))
        {
            if (body is null)
                throw Fail("else keyword cannot be used on a rule without a body");
            if (head.Kind == RuleKind.Set)
                throw Fail("else keyword cannot be used on multi-value rules");
            rule = rule with { Else = Else(rule.Head) };
        }

        rules.Add(rule);
        // In v0 more bodies may follow, each a rule of its own with the same head.
        while (!_isV1 && body is not null && !hasIf && rule.Else is null && Kind == TokenKind.OpenBrace)
            rules.Add(rule with { At = Here, Body = BracedBody() });
    }

    private RuleSyntax DefaultRule(RegoLocation at, HeadParts head)
    {
        if (head.Contains is not null)
            throw FailAt(at, "default rules cannot be multi-value");
        if (head.Value is null)
            throw FailAt(at, "default rule must have a value");
        if (head.Arguments is null && head.Path.Any(k => k is not ConstantTerm))
            throw FailAt(at, "default rules cannot have variables in their names");
        if (head.Arguments?.FirstOrDefault(a => a is not VariableTerm) is not null)
            throw FailAt(at, "illegal default rule (arguments cannot contain anything but variables)");
        if (Variable(head.Value) is { } kind)
            throw FailAt(at, $"illegal default rule (value cannot contain {kind})");
        if (IsKeyword("if") || Kind == TokenKind.OpenBrace)
            throw Fail("default rules cannot have bodies");
        head.Kind = head.Arguments is null ? RuleKind.Single : RuleKind.Function;
        return new RuleSyntax(at, head.ToHead(), TrueBody(at)) { IsDefault = true };
    }

    /// <summary>What a term has, outside comprehensions, that is no constant; null if nothing.</summary>
    private static string? Variable(Term term) => term switch
    {
        VariableTerm => "var",
        ReferenceTerm => "ref",
        CallTerm => "call",
        _ => Compilation.Variables.Items(term).Select(Variable).FirstOrDefault(kind => kind is not null),
    };

    /// <summary>A head as it is written, before it is known what kind of rule it makes.</summary>
    private sealed class HeadParts(RegoLocation at, string name)
    {
        public List<Term> Path { get; } = [];
        public List<Term>? Arguments { get; set; }
        public Term? Contains { get; set; }
        public Term? Value { get; set; }
        public RuleKind Kind { get; set; }
        public RegoLocation At => at;

        public RuleHead ToHead() =>
            new(at, Kind, name, Path, Arguments, Contains ?? Value ?? new ConstantTerm(at, RegoValue.True)) { HasWrittenValue = Value is not null };
    }

    private HeadParts Head(RegoLocation at)
    {
        if (Kind != TokenKind.Identifier)
            throw Unexpected("expected a rule name");
        var headAt = Here;
        if (TextOf(Current) is "_" or "data" or "input")
            throw Fail($"{TextOf(Current)} cannot be used for rule name");
        var head = new HeadParts(headAt, Name("a rule name"));
        HeadPath(head);
        if (TryKeyword("contains"))
        {
            if (head.Arguments is not null)
                throw FailAt(at, "the contains keyword can only be used with multi-value rule definitions");
            head.Contains = InfixTerm();
            if (Kind is TokenKind.Assign or TokenKind.Unify)
                throw Fail("the contains keyword can only be used with multi-value rule definitions (e.g., p contains x if ...)");
        }
        else if (Kind is TokenKind.Assign or TokenKind.Unify)
        {
            Advance();
            head.Value = InfixTerm();
        }

        return head;
    }

    private void HeadPath(HeadParts head)
    {
        while (!Current.SpaceBefore && head.Arguments is null)
        {
            if (head.Path.Count > MaxDepth)
                throw Fail("the rule's name is too long");
            if (Try(TokenKind.Dot))
                head.Path.Add(KeyAfterDot());
            else if (Try(TokenKind.OpenBracket))
                head.Path.Add(BracketKey());
            else if (Kind == TokenKind.OpenParen)
                head.Arguments = Arguments();
            else
                return;
        }
    }

    /// <summary>Decides the kind of rule; in v0 <c>p[x]</c> is a set.</summary>
    private HeadParts Classify(HeadParts head, bool hasIf)
    {
        if (head.Arguments is not null)
        {
            head.Kind = RuleKind.Function;
        }
        else if (head.Contains is not null)
        {
            head.Kind = RuleKind.Set;
        }
        else if (!hasIf && head.Value is null && head.Path.Count == 1)
        {
            if (_isV1)
                throw FailAt(head.At, "`if` or `contains` keyword is required: a set is written `name contains element`");
            head.Kind = RuleKind.Set;
            head.Contains = head.Path[0];
            head.Path.Clear();
        }

        return head;
    }

    /// <summary>The body, or null for a rule that is just a head.</summary>
    private Body? RuleBody(HeadParts head, bool hasIf)
    {
        if (hasIf)
        {
            Advance();
            return IfBody();
        }

        if (Kind == TokenKind.OpenBrace)
        {
            if (_isV1)
                throw Fail("`if` keyword is required before rule body");
            return BracedBody();
        }

        if (head.Value is null && head.Contains is null)
            throw head.Path.Count == 0 && head.Arguments is null ? FailAt(head.At, "var cannot be used for rule name") : Unexpected("expected a rule body or value");
        return null;
    }

    /// <summary>What follows <c>if</c>: one expression, or a body in braces.</summary>
    private Body IfBody()
    {
        var at = Here;
        if (Kind != TokenKind.OpenBrace)
            return new Body(at, [Literal()]);
        var start = _position;
        try
        {
            // `if {…}` is a body, but `if {x | …} == y` and `if {"a": 1}["a"]` are expressions.
            if (Literal() is var literal && literal is not TermExpression { Term: SetTerm or ConstantTerm { Value: RegoSet } })
                return new Body(at, [literal]);
        }
        catch (RegoException) when (!_isHopeless)
        {
            // Read as a body, its own errors are reported.
        }

        _position = start;
        return BracedBody();
    }

    private Body BracedBody()
    {
        var at = Here;
        Expect(TokenKind.OpenBrace, "{");
        if (Kind == TokenKind.CloseBrace)
            throw FailAt(at, "found empty body");
        var body = Bodies(TokenKind.CloseBrace, at);
        Expect(TokenKind.CloseBrace, "} or a new line");
        return body;
    }

    private RuleSyntax Else(RuleHead head)
    {
        using var guard = Deeper();
        var at = Here;
        Advance();
        Term? value = null;
        if (Kind is TokenKind.Assign or TokenKind.Unify)
        {
            Advance();
            value = InfixTerm();
        }

        Body? body = null;
        if (TryKeyword("if"))
            body = IfBody();
        else if (Kind == TokenKind.OpenBrace)
            body = _isV1 ? throw Fail("`if` keyword is required before rule body") : BracedBody();
        else if (value is null)
            throw Unexpected("expected a value or body of else");

        var rule = new RuleSyntax(at, head with { Value = value ?? new ConstantTerm(at, RegoValue.True), HasWrittenValue = value is not null }, body ?? TrueBody(at));
        return IsKeyword("else") && body is not null ? rule with { Else = Else(head) } : rule;
    }

    private static Body TrueBody(RegoLocation at) => new(at, [new TermExpression(at, new ConstantTerm(at, RegoValue.True))]);
}
