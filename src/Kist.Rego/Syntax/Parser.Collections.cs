namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    /// <summary><c>[a, b]</c> or <c>[a | body]</c>. After <c>[a |</c> a comprehension is tried first.</summary>
    private Term ArrayOrComprehension(RegoLocation at)
    {
        Advance();
        if (Try(TokenKind.CloseBracket))
            return new ConstantTerm(at, RegoArray.Empty);
        return Comprehension(at, TokenKind.CloseBracket, ComprehensionKind.Array) ??
            Fold(new ArrayTerm(at, Items(TokenKind.CloseBracket)));
    }

    /// <summary>An object, a set, or a comprehension of either.</summary>
    private Term BracedTerm(RegoLocation at)
    {
        Advance();
        if (Try(TokenKind.CloseBrace))
            return new ConstantTerm(at, RegoObject.Empty);
        if (Comprehension(at, TokenKind.CloseBrace, ComprehensionKind.Set) is { } set)
            return set;
        var first = ListedTerm();
        if (Kind == TokenKind.Colon)
            return ObjectOrComprehension(at, first);
        return Fold(new SetTerm(at, Items(TokenKind.CloseBrace, first)));
    }

    private ComprehensionTerm? Comprehension(RegoLocation at, TokenKind end, ComprehensionKind kind, Term? key = null)
    {
        var (start, depth) = (_position, _depth);
        try
        {
            // The head is a term without operators: `{a | b}` is a comprehension, `{a + b | c}` is a set.
            var value = SimpleTerm();
            // It is not parsed again where it turns out to be the first item.
            _parsed[start] = (value, _position);
            if (Kind == TokenKind.Or)
            {
                Advance();
                var body = Bodies(end, Here);
                if (Try(end))
                    return new ComprehensionTerm(at, kind, key, value, body);
            }
        }
        catch (RegoException) when (!_isHopeless)
        {
            // What follows is then read as items, and its own errors reported.
        }

        (_position, _depth) = (start, depth);
        return null;
    }

    private List<Term> Items(TokenKind end, Term? first = null)
    {
        var items = new List<Term> { first ?? ListedTerm() };
        while (Try(TokenKind.Comma))
        {
            if (Kind == end)
                break;
            items.Add(ListedTerm());
        }

        Expect(end, end == TokenKind.CloseBracket ? ", or ]" : ", or }");
        return items;
    }

    private Term ObjectOrComprehension(RegoLocation at, Term key)
    {
        Advance();
        if (Comprehension(at, TokenKind.CloseBrace, ComprehensionKind.Object, key) is { } comprehension)
            return comprehension;
        var entries = new List<(Term, Term)> { (key, ListedTerm()) };
        while (Try(TokenKind.Comma))
        {
            if (Kind == TokenKind.CloseBrace)
                break;
            var next = ListedTerm();
            Expect(TokenKind.Colon, ":");
            entries.Add((next, ListedTerm()));
        }

        Expect(TokenKind.CloseBrace, ", or }");
        return Fold(new ObjectTerm(at, entries));
    }

    /// <summary>Collections of constants are constants.</summary>
    private static Term Fold(Term term)
    {
        switch (term)
        {
            case ArrayTerm a when a.Items.All(i => i is ConstantTerm):
                return new ConstantTerm(a.At, RegoArray.Of(a.Items.Select(i => ((ConstantTerm)i).Value).ToArray()));
            case SetTerm s when s.Items.All(i => i is ConstantTerm):
                return new ConstantTerm(s.At, RegoValue.SetOf([.. s.Items.Select(i => ((ConstantTerm)i).Value)]));
            case ObjectTerm o when o.Entries.All(e => e is (ConstantTerm, ConstantTerm)):
                var builder = new RegoObjectBuilder();
                foreach (var (key, value) in o.Entries)
                    builder[((ConstantTerm)key).Value] = ((ConstantTerm)value).Value;
                return new ConstantTerm(o.At, builder.ToObject());
            default:
                return term;
        }
    }
}
