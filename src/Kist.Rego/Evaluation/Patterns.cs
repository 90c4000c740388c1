namespace Kist.Rego.Evaluation;

/// <summary>What a value is matched with: it may bind variables.</summary>
abstract class Pattern
{
    public abstract bool Matches(RegoValue value, Activation a);
}

/// <summary>Binds a variable.</summary>
sealed class BindPattern(int slot) : Pattern
{
    public override bool Matches(RegoValue value, Activation a)
    {
        a.Slots[slot] = value;
        return true;
    }
}

/// <summary>Matches one value: a term that has one already.</summary>
sealed class ValuePattern(TermNode term) : Pattern
{
    public override bool Matches(RegoValue value, Activation a) => term.Evaluate(a) is { } expected && expected.Equals(value);
}

/// <summary>Matches an array of the same length.</summary>
sealed class ArrayPattern(Pattern[] items) : Pattern
{
    public override bool Matches(RegoValue value, Activation a)
    {
        if (value is not RegoArray array || array.Count != items.Length)
            return false;
        for (var i = 0; i < items.Length; i++)
        {
            if (!items[i].Matches(array[i], a))
                return false;
        }

        return true;
    }
}

/// <summary>Matches an object with just these keys.</summary>
sealed class ObjectPattern((TermNode Key, Pattern Value)[] entries) : Pattern
{
    public override bool Matches(RegoValue value, Activation a)
    {
        if (value is not RegoObject o || o.Count != entries.Length)
            return false;
        foreach (var (key, pattern) in entries)
        {
            if (key.Evaluate(a) is not { } k || o.Get(k) is not { } v || !pattern.Matches(v, a))
                return false;
        }

        return true;
    }
}
