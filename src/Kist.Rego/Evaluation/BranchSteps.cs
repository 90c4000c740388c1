namespace Kist.Rego.Evaluation;

/// <summary>The end of a rule's or query's body: gives the solution to the collector.</summary>
sealed class YieldStep(CompiledRule rule) : BranchStep
{
    public override bool Run(Activation a) => a.Collector.Add(a, rule);
}

/// <summary>The end of a body of which one solution is enough.</summary>
sealed class FoundStep : BranchStep
{
    public override bool Run(Activation a) => false;
}

/// <summary>The end of a comprehension's body: adds the solution to what is collected.</summary>
sealed class CollectStep(int scratch, TermNode? key, TermNode value) : BranchStep
{
    public override bool Run(Activation a)
    {
        if (value.Evaluate(a) is not { } v)
            return true;
        switch (a.Scratch[scratch])
        {
            case List<RegoValue> list:
                list.Add(v);
                break;
            case RegoSetBuilder set:
                set.Add(v);
                break;
            case RegoObjectBuilder o when key!.Evaluate(a) is { } k:
                if (o.Get(k) is { } other && !other.Equals(v))
                    throw Fault.Of(RegoErrorCode.Conflict, "object keys must be unique", Note?.At ?? default);
                o[k] = v;
                break;
        }

        return true;
    }
}

/// <summary>
/// A reference with variables that are not bound yet: one solution for each item that it can refer to. Its value goes
/// to a slot.
/// </summary>
sealed class IterateStep(TermNode? head, DataStart? data, RefKey[] keys, int resultSlot) : BranchStep
{
    public override bool Run(Activation a)
    {
        var start = data is null ? new Document(null, head!.Evaluate(a)) : data.Open(a);
        return start.IsUndefined || Walk(a, start, 0);
    }

    private bool Walk(Activation a, Document at, int i)
    {
        var documents = a.Evaluation.Documents;
        for (; i < keys.Length; i++)
        {
            var key = keys[i];
            if (key.Ground is null)
                return Branch(a, at, i, key);
            if (key.Ground.Evaluate(a) is not { } k)
                return true;
            at = documents.Step(at, k);
            if (at.IsUndefined)
                return true;
        }

        if (documents.Value(at) is not { } value)
            return true;
        a.Slots[resultSlot] = value;
        return Run(Next, a);
    }

    private bool Branch(Activation a, Document at, int i, RefKey key)
    {
        foreach (var (k, child) in a.Evaluation.Documents.Children(at))
        {
            a.Evaluation.Tick();
            if (key.Pattern!.Matches(k, a) && !Walk(a, child, i + 1))
                return false;
        }

        return true;
    }
}

/// <summary>One key of a reference that is iterated: a term with a value, or a pattern with variables to bind.</summary>
sealed record RefKey(TermNode? Ground, Pattern? Pattern);

/// <summary>Each item of a collection in turn: <c>some k, v in xs</c>.</summary>
sealed class SomeInStep(TermNode domain, Pattern? key, Pattern value) : BranchStep
{
    public override bool Run(Activation a)
    {
        var collection = domain.Evaluate(a);
        foreach (var (k, v) in Items.Of(collection))
        {
            a.Evaluation.Tick();
            if ((key is null || key.Matches(k, a)) && value.Matches(v, a) && !Run(Next, a))
                return false;
        }

        return true;
    }
}

/// <summary>A built-in relation such as <c>walk</c>: one solution for each of its values.</summary>
sealed class RelationStep(BuiltinNode call, int resultSlot) : BranchStep
{
    public override bool Run(Activation a)
    {
        if (call.Evaluate(a) is not RegoArray results)
            return true;
        for (var i = 0; i < results.Count; i++)
        {
            a.Evaluation.Tick();
            a.Slots[resultSlot] = results[i];
            if (!Run(Next, a))
                return false;
        }

        return true;
    }
}

/// <summary>The keys and values of a collection, in order.</summary>
static class Items
{
    public static IEnumerable<(RegoValue Key, RegoValue Value)> Of(RegoValue? collection) => collection switch
    {
        RegoArray array => OfArray(array),
        RegoObject o => OfObject(o),
        RegoSet set => OfSet(set),
        _ => [],
    };

    private static IEnumerable<(RegoValue, RegoValue)> OfArray(RegoArray array)
    {
        for (var i = 0; i < array.Count; i++)
            yield return (RegoNumber.FromInt64(i), array[i]);
    }

    private static IEnumerable<(RegoValue, RegoValue)> OfObject(RegoObject o)
    {
        for (var i = 0; i < o.Count; i++)
            yield return (o.Keys[i], o.Values[i]);
    }

    private static IEnumerable<(RegoValue, RegoValue)> OfSet(RegoSet set)
    {
        for (var i = 0; i < set.Count; i++)
            yield return (set.Items[i], set.Items[i]);
    }
}
