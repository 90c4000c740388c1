using Kist.Rego.Compilation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Coverage;

/// <summary>The places in a module that an evaluation can reach: heads of rules, and expressions, nested ones too.</summary>
static class CoverablePlaces
{
    public static HashSet<RegoLocation> Of(ModuleSyntax module)
    {
        var places = new HashSet<RegoLocation>();
        foreach (var rule in module.Rules)
        {
            for (var branch = rule; branch is not null; branch = branch.Else)
            {
                places.Add(branch.At);
                Visit(branch.Head.Value, places);
                // A rule without a body has the body "true", which is nowhere.
                if (branch.Body.Expressions is not [TermExpression { Term: ConstantTerm { Value: RegoBoolean { Value: true } } }])
                    Visit(branch.Body, places);
            }
        }

        return places;
    }

    private static void Visit(Body body, HashSet<RegoLocation> places)
    {
        foreach (var e in body.Expressions)
        {
            if (e is not SomeExpression)
                places.Add(e.At);
            switch (e)
            {
                case TermExpression t:
                    Visit(t.Term, places);
                    break;
                case SomeInExpression s:
                    Visit(s.Domain, places);
                    break;
                case EveryExpression every:
                    Visit(every.Domain, places);
                    Visit(every.Body, places);
                    break;
                case NotExpression not:
                    Visit(not.Body, places);
                    break;
            }
        }
    }

    private static void Visit(Term term, HashSet<RegoLocation> places)
    {
        switch (term)
        {
            case ReferenceTerm r:
                Visit(r.Head, places);
                foreach (var key in r.Path)
                    Visit(key, places);
                break;
            case CallTerm c:
                foreach (var argument in c.Arguments)
                    Visit(argument, places);
                break;
            case ComprehensionTerm c:
                Visit(c.Body, places);
                break;
            default:
                foreach (var item in Variables.Items(term))
                    Visit(item, places);
                break;
        }
    }
}
