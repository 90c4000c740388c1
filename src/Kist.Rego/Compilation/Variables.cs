using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>The variables of resolved terms. <c>data</c> and <c>input</c> are none; names of functions are none.</summary>
static class Variables
{
    public static bool IsRoot(string name) => name is "data" or "input";

    /// <summary>All variables outside closures (comprehensions, bodies of every, template strings).</summary>
    public static void Collect(Term term, ISet<string> into)
    {
        switch (term)
        {
            case VariableTerm v when !IsRoot(v.Name):
                into.Add(v.Name);
                break;
            case ReferenceTerm r:
                Collect(r.Head, into);
                foreach (var key in r.Path)
                    Collect(key, into);
                break;
            case CallTerm c:
                foreach (var argument in c.Arguments)
                    Collect(argument, into);
                break;
            default:
                foreach (var item in Items(term))
                    Collect(item, into);
                break;
        }
    }

    /// <summary>The parts of an array, set or object.</summary>
    public static IEnumerable<Term> Items(Term term) => term switch
    {
        ArrayTerm a => a.Items,
        SetTerm s => s.Items,
        ObjectTerm o => o.Entries.SelectMany(e => new[] { e.Key, e.Value }),
        _ => [],
    };

    /// <summary>All variables of an expression outside closures.</summary>
    public static void Collect(Expression e, ISet<string> into)
    {
        switch (e)
        {
            case TermExpression t:
                Collect(t.Term, into);
                break;
            case SomeInExpression s:
                if (s.Key is not null)
                    Collect(s.Key, into);
                Collect(s.Value, into);
                Collect(s.Domain, into);
                break;
            case EveryExpression every:
                Collect(every.Domain, into);
                break;
        }

        foreach (var with in e.With)
            Collect(with.Value, into);
    }

    /// <summary>Variables at places where a value can bind them: the term itself, items of arrays, values of objects.</summary>
    public static void CollectPattern(Term term, ISet<string> into)
    {
        switch (term)
        {
            case VariableTerm v when !IsRoot(v.Name):
                into.Add(v.Name);
                break;
            case ArrayTerm a:
                foreach (var item in a.Items)
                    CollectPattern(item, into);
                break;
            case ObjectTerm o:
                foreach (var (_, value) in o.Entries)
                    CollectPattern(value, into);
                break;
        }
    }

    /// <summary>All variables inside closures of an expression.</summary>
    public static void CollectClosures(Expression e, ISet<string> into)
    {
        switch (e)
        {
            case TermExpression t:
                CollectClosures(t.Term, into);
                break;
            case SomeInExpression s:
                if (s.Key is not null)
                    CollectClosures(s.Key, into);
                CollectClosures(s.Value, into);
                CollectClosures(s.Domain, into);
                break;
            case EveryExpression every:
                CollectClosures(every.Domain, into);
                CollectEverything(every.Body, into);
                break;
            case NotExpression not:
                CollectEverything(not.Body, into);
                break;
        }

        foreach (var with in e.With)
            CollectClosures(with.Value, into);
    }

    private static void CollectClosures(Term term, ISet<string> into)
    {
        switch (term)
        {
            case ReferenceTerm r:
                CollectClosures(r.Head, into);
                foreach (var key in r.Path)
                    CollectClosures(key, into);
                break;
            case CallTerm c:
                foreach (var argument in c.Arguments)
                    CollectClosures(argument, into);
                break;
            case ComprehensionTerm c:
                if (c.Key is not null)
                    CollectEverything(c.Key, into);
                CollectEverything(c.Value, into);
                CollectEverything(c.Body, into);
                break;
            case TemplateTerm t:
                foreach (var part in t.Parts)
                    CollectEverything(part, into);
                break;
            default:
                foreach (var item in Items(term))
                    CollectClosures(item, into);
                break;
        }
    }

    private static void CollectEverything(Term term, ISet<string> into)
    {
        Collect(term, into);
        CollectClosures(term, into);
    }

    private static void CollectEverything(Body body, ISet<string> into)
    {
        foreach (var e in body.Expressions)
        {
            Collect(e, into);
            CollectClosures(e, into);
        }
    }
}
