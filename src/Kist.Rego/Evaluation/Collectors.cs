namespace Kist.Rego.Evaluation;

/// <summary>Takes the solutions of a rule's or query's body.</summary>
abstract class Collector
{
    /// <summary>True if the body that runs has had a solution.</summary>
    public bool Found { get; set; }

    /// <summary>Takes one solution.</summary>
    /// <returns>False if no more are needed.</returns>
    public abstract bool Add(Activation a, CompiledRule rule);
}

/// <summary>All solutions must give the same value.</summary>
sealed class SingleCollector(bool isFunction) : Collector
{
    public RegoValue? Value { get; private set; }

    public override bool Add(Activation a, CompiledRule rule)
    {
        if (rule.Value.Evaluate(a) is not { } value)
            return true;
        Found = true;
        if (Value is not null && !Value.Equals(value))
        {
            throw Fault.Of(
                RegoErrorCode.Conflict,
                isFunction
                    ? $"functions must not produce multiple outputs for same inputs: function {rule.Node.Path} produced conflicting values for the same inputs"
                    : $"complete rules must not produce multiple outputs: rule {rule.Node.Path} produced conflicting values",
                rule.At);
        }

        Value = value;
        return !rule.ValueIsConstant;
    }
}

/// <summary>Solutions are elements of a set.</summary>
sealed class SetCollector : Collector
{
    public RegoSetBuilder Items { get; } = new();

    public override bool Add(Activation a, CompiledRule rule)
    {
        if (rule.Value.Evaluate(a) is { } value)
        {
            Found = true;
            Items.Add(value);
        }

        return true;
    }
}

/// <summary>Solutions are entries of an object; only those under one key, if that is given.</summary>
sealed class ObjectCollector(RegoValue? only) : Collector
{
    public PartialObject Result { get; } = new();

    public override bool Add(Activation a, CompiledRule rule)
    {
        var path = Arguments.Evaluate(rule.Suffix, a);
        if (path is null || (only is not null && !only.Equals(path[0])) || rule.Value.Evaluate(a) is not { } value)
            return true;
        Found = true;
        if (!Result.Add(path, value, rule.IsSet))
            throw Fault.Of(RegoErrorCode.Conflict, $"object keys must be unique: rule {rule.Node.Path} produced conflicting values", rule.At);
        return true;
    }
}
