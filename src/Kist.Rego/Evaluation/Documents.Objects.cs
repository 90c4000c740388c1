namespace Kist.Rego.Evaluation;

/// <summary>Objects with computed keys: <c>p[x] := v</c>, <c>p[x].y[z] := v</c>, <c>p[x] contains v</c>.</summary>
sealed partial class Documents
{
    /// <summary>The whole object: its rules, the rules with longer fixed names, and the base document.</summary>
    private RegoValue Whole(RuleNode node, RegoValue? value)
    {
        var cache = evaluation.Scope.Cache;
        if (cache.TryGetValue(node, out var cached))
            return Finished(cached, node)!;
        cache[node] = default;
        var built = Build(node, null);
        foreach (var child in node.Children)
        {
            var below = value is null ? null : Get(value, child.Key);
            if (Value(Place(child, below)) is { } document && !built.Merge(child.Key, document))
                throw Conflict(node.Rules[0].At);
        }

        var result = WithBase(built.ToValue(), value);
        cache[node] = new Cached(true, result);
        return result;
    }

    /// <summary>
    /// One entry of the object. Where names with that key are rules of their own, only what can make this entry is
    /// evaluated, since other entries may depend on it.
    /// </summary>
    private RegoValue? Part(RuleNode node, RegoValue? value, RegoValue key)
    {
        if (!node.HasChildren)
            return ((RegoObject)Whole(node, value)).Get(key);
        var cache = evaluation.Scope.PartCache;
        if (cache.TryGetValue((node, key), out var cached))
            return Finished(cached, node);
        cache[(node, key)] = default;
        var built = Build(node, key);
        var below = value is null ? null : Get(value, key);
        var child = Place(node.Child(key), below);
        if (!child.IsUndefined && Value(child) is { } document && !built.Merge(key, document))
            throw Conflict(node.Rules[0].At);
        var result = built.ToValue().Get(key);
        cache[(node, key)] = new Cached(true, result);
        return result;
    }

    private PartialObject Build(RuleNode node, RegoValue? only)
    {
        using var depth = evaluation.Enter(node);
        var collector = new ObjectCollector(only);
        foreach (var rule in node.Rules)
            RunRule(rule, null, collector);
        return collector.Result;
    }

    private static RegoException Conflict(RegoLocation at) => Fault.Of(RegoErrorCode.Conflict, "object keys must be unique", at);

    /// <summary>Adds what only the base document has.</summary>
    private static RegoObject WithBase(RegoObject made, RegoValue? value)
    {
        if (value is not RegoObject o)
            return made;
        var result = new RegoObjectBuilder(made);
        for (var i = 0; i < o.Count; i++)
        {
            if (made.Get(o.Keys[i]) is null)
                result[o.Keys[i]] = o.Values[i];
        }

        return result.ToObject();
    }
}
