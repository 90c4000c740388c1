namespace Kist.Rego.Evaluation;

/// <summary>A term that must be defined and not false.</summary>
sealed class TruthStep(TermNode term) : TestStep
{
    public override bool Holds(Activation a) => term.Evaluate(a) is { IsTruthy: true };
}

/// <summary>Binds a variable to a term that must be defined.</summary>
sealed class BindStep(int slot, TermNode term) : TestStep
{
    public override bool Holds(Activation a) => (a.Slots[slot] = term.Evaluate(a)) is not null;
}

/// <summary>Two terms that must be defined and equal.</summary>
sealed class EqualStep(TermNode left, TermNode right) : TestStep
{
    public override bool Holds(Activation a) => left.Evaluate(a) is { } l && right.Evaluate(a) is { } r && l.Equals(r);
}

/// <summary>A term whose value must match a pattern, which binds variables.</summary>
sealed class MatchStep(TermNode term, Pattern pattern) : TestStep
{
    public override bool Holds(Activation a) => term.Evaluate(a) is { } value && pattern.Matches(value, a);
}

/// <summary><c>not</c>: the inner chain must have no solution.</summary>
sealed class NotStep(Step inner) : TestStep
{
    public override bool Holds(Activation a)
    {
        using var quiet = a.Evaluation.Quiet();
        return Run(inner, a);
    }
}

/// <summary><c>every</c>: the body must have a solution for each item of the domain.</summary>
sealed class EveryStep(TermNode domain, int keySlot, int valueSlot, Step body) : TestStep
{
    public override bool Holds(Activation a)
    {
        switch (domain.Evaluate(a))
        {
            case RegoArray array:
                for (var i = 0; i < array.Count; i++)
                {
                    if (!Holds(a, keySlot < 0 ? RegoValue.Null : RegoNumber.FromInt64(i), array[i]))
                        return false;
                }

                return true;
            case RegoSet set:
                foreach (var item in set.Items)
                {
                    if (!Holds(a, item, item))
                        return false;
                }

                return true;
            case RegoObject o:
                for (var i = 0; i < o.Count; i++)
                {
                    if (!Holds(a, o.Keys[i], o.Values[i]))
                        return false;
                }

                return true;
            default:
                return false;
        }
    }

    private bool Holds(Activation a, RegoValue key, RegoValue value)
    {
        if (keySlot >= 0)
            a.Slots[keySlot] = key;
        a.Slots[valueSlot] = value;
        return !Run(body, a);
    }
}
