using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Takes a unification apart: <c>[x, 1] = [2, y]</c> is <c>x = 2</c> and <c>1 = y</c>.</summary>
static class Decomposition
{
    /// <summary>The pairs that must be equal. Two terms that cannot be equal give a pair of different constants.</summary>
    public static IEnumerable<(Term Left, Term Right)> Of(Term a, Term b)
    {
        switch (Spread(a, b), Spread(b, a))
        {
            case (ArrayTerm x, ArrayTerm y):
                return x.Items.Count == y.Items.Count ? x.Items.Zip(y.Items).SelectMany(p => Of(p.First, p.Second)) : [Never(a)];
            case (ObjectTerm x, ObjectTerm y) when HasConstantKeys(x) && HasConstantKeys(y):
                return OfObjects(x, y);
            default:
                return [(a, b)];
        }
    }

    private static IEnumerable<(Term, Term)> OfObjects(ObjectTerm a, ObjectTerm b)
    {
        var values = new Dictionary<RegoValue, Term>();
        foreach (var (key, value) in b.Entries)
            values[((ConstantTerm)key).Value] = value;
        var keys = a.Entries.Select(e => ((ConstantTerm)e.Key).Value).ToHashSet();
        if (!keys.SetEquals(values.Keys))
            return [Never(a)];
        return a.Entries.SelectMany(e => Of(e.Value, values[((ConstantTerm)e.Key).Value]));
    }

    private static bool HasConstantKeys(ObjectTerm o) => o.Entries.All(e => e.Key is ConstantTerm);

    /// <summary>A constant collection as terms, where its counterpart has parts.</summary>
    private static Term Spread(Term term, Term other) => (term, other) switch
    {
        (ConstantTerm { Value: RegoArray a }, ArrayTerm) => new ArrayTerm(term.At, a.Items.ToArray().Select(i => new ConstantTerm(term.At, i)).ToArray<Term>()),
        (ConstantTerm { Value: RegoObject o }, ObjectTerm) => new ObjectTerm(
            term.At,
            Enumerable.Range(0, o.Count).Select(i => ((Term)new ConstantTerm(term.At, o.Keys[i]), (Term)new ConstantTerm(term.At, o.Values[i]))).ToArray()),
        _ => term,
    };

    private static (Term, Term) Never(Term at) => (new ConstantTerm(at.At, RegoValue.True), new ConstantTerm(at.At, RegoValue.False));
}
