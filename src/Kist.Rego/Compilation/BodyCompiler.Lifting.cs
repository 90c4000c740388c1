using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>
/// Lifting takes parts out of a term and puts them before it as steps of their own: references that iterate and
/// relations, which have many values; and under <c>not</c> everything that can be undefined, since OPA evaluates what is
/// nested in a negated call before the negation.
/// </summary>
sealed partial class BodyCompiler
{
    private Term Lift(Term term, bool everything)
    {
        switch (term)
        {
            case ReferenceTerm r:
                return LiftReference(r, everything);
            case CallTerm c:
                CheckCall(c);
                var call = c with { Arguments = c.Arguments.Select(a => Lift(a, everything)).ToList() };
                if (BuiltinOf(call) is { IsRelation: true } relation)
                    return Temporary(term, t => new RelationStep(new BuiltinNode(relation, Values(call.Arguments), c.At), t));
                return everything ? Temporary(call, t => new BindStep(t, Value(call))) : call;
            case ArrayTerm a:
                return a with { Items = a.Items.Select(i => Lift(i, everything)).ToList() };
            case SetTerm s:
                return s with { Items = s.Items.Select(i => Lift(i, everything)).ToList() };
            case ObjectTerm o:
                return o with { Entries = o.Entries.Select(e => (Lift(e.Key, everything), Lift(e.Value, everything))).ToList() };
            default:
                return term;
        }
    }

    private Term LiftReference(ReferenceTerm r, bool everything)
    {
        r = LiftKeys(r, everything);
        _types.Reference(r);
        if (IsGround(r))
            return everything ? Temporary(r, t => new BindStep(t, Value(r))) : r;
        if (!IsGround(r.Head))
            return r;
        return Temporary(r, t => Iterate(r, t));
    }

    private ReferenceTerm LiftKeys(ReferenceTerm r, bool everything) =>
        r with { Head = Lift(r.Head, everything && r.Head is not VariableTerm), Path = r.Path.Select(k => Lift(k, everything)).ToList() };

    private IterateStep Iterate(ReferenceTerm r, int slot)
    {
        var (data, skip) = r.Head is VariableTerm { Name: "data" } ? program.DataStart(r.Path) : (null, 0);
        var head = data is null ? Value(r.Head) : null;
        var keys = r.Path.Skip(skip).Select(k => IsGround(k) ? new RefKey(Value(k), null) : new RefKey(null, PatternOf(k))).ToArray();
        return new IterateStep(head, data, keys, slot);
    }

    private VariableTerm Temporary(Term term, Func<int, Step> step)
    {
        var name = $"${_temporary++}'";
        var slot = Slot(name);
        Add(step(slot));
        _bound.Add(name);
        _types.Bind(name, term);
        return new VariableTerm(term.At, name);
    }

    /// <summary>The operands of <c>=</c> and <c>==</c> themselves stay; other calls' arguments are lifted.</summary>
    private Term LiftForNegation(Term term)
    {
        if (term.IsCall(TermNames.Unify, out var call) || term.IsCall(TermNames.Equal, out call))
            return call with { Arguments = call.Arguments.Select(LiftOperand).ToList() };
        if (term is CallTerm other)
            return other with { Arguments = other.Arguments.Select(a => Lift(a, everything: true)).ToList() };
        return LiftOperand(term);
    }

    private Term LiftOperand(Term term) => term is ReferenceTerm r ? LiftKeys(r, everything: true) : Lift(term, everything: true);
}
