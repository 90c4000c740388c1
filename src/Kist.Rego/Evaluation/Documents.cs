namespace Kist.Rego.Evaluation;

/// <summary>Looks things up in <c>data</c>: evaluates rules when they are asked for, and remembers their values.</summary>
sealed partial class Documents(RegoEvaluation evaluation)
{
    /// <summary>The item of a value under a key, or null.</summary>
    public static RegoValue? Get(RegoValue value, RegoValue key) => value switch
    {
        RegoObject o => o.Get(key),
        RegoArray array => array.Get(key),
        RegoSet set => set.Contains(key) ? key : null,
        _ => null,
    };

    /// <summary>The item of a base document under a key.</summary>
    public static RegoValue? GetBase(RegoValue value, RegoValue key) =>
        Get(value, key) ?? (key is RegoNumber && value is RegoObject o ? o.Get(new RegoString(key.ToString())) : null);

    /// <summary>The place of a node, unless <c>with</c> has replaced it by a value.</summary>
    public Document Place(RuleNode? node, RegoValue? value) =>
        node is not null && evaluation.Scope.Masked?.Contains(node) == true ? new Document(null, value, IsBase: true) : new Document(node, value, IsBase: true);

    /// <summary>One key further.</summary>
    public Document Step(Document at, RegoValue key)
    {
        switch (at.Node?.Kind)
        {
            case null:
                return new Document(null, at.Base is null ? null : at.IsBase ? GetBase(at.Base, key) : Get(at.Base, key), at.IsBase);
            case RuleNodeKind.None:
                return Place(at.Node.Child(key), at.Base is null ? null : GetBase(at.Base, key));
            case RuleNodeKind.Function:
                return default;
            case RuleNodeKind.Object:
                return new Document(null, Part(at.Node, at.Base, key));
            default:
                return new Document(null, Leaf(at.Node) is { } value ? Get(value, key) : null);
        }
    }

    /// <summary>The whole value of a place, or null.</summary>
    public RegoValue? Value(Document at) => at.Node?.Kind switch
    {
        null => at.Base,
        RuleNodeKind.None => Package(at.Node, at.Base),
        RuleNodeKind.Function => null,
        RuleNodeKind.Object => Whole(at.Node, at.Base),
        _ => Leaf(at.Node),
    };

    /// <summary>The places directly below, by key.</summary>
    public IEnumerable<(RegoValue Key, Document Child)> Children(Document at)
    {
        if (at.Node is not { Kind: RuleNodeKind.None } node)
        {
            foreach (var (key, value) in Items.Of(Value(at)))
                yield return (key, new Document(null, value));
            yield break;
        }

        foreach (var key in KeysOf(node, at.Base))
            yield return (key, Step(at, key));
    }

    private static RegoValue[] KeysOf(RuleNode node, RegoValue? value)
    {
        var keys = new RegoSetBuilder();
        foreach (var child in node.Children)
        {
            if (child.Kind != RuleNodeKind.Function)
                keys.Add(child.Key);
        }

        foreach (var (key, _) in Items.Of(value))
            keys.Add(key);
        return keys.ToSet().Items.ToArray();
    }

    /// <summary>All that is below a node without rules, merged with the base document.</summary>
    private RegoObject Package(RuleNode node, RegoValue? value)
    {
        var result = value is RegoObject o ? new RegoObjectBuilder(o) : new RegoObjectBuilder();
        AddChildren(result, node, value);
        return result.ToObject();
    }

    private void AddChildren(RegoObjectBuilder result, RuleNode node, RegoValue? value)
    {
        foreach (var child in node.Children)
        {
            var below = value is null ? null : Get(value, child.Key);
            if (Value(Place(child, below)) is { } document)
                result[child.Key] = document;
        }
    }

    /// <summary>The value of a rule that has one value or a set, evaluated once in a scope.</summary>
    private RegoValue? Leaf(RuleNode node)
    {
        var cache = evaluation.Scope.Cache;
        if (cache.TryGetValue(node, out var cached))
            return Finished(cached, node);
        cache[node] = default;
        var value = node.Kind == RuleNodeKind.Set ? Set(node) : Single(node, null);
        cache[node] = new Cached(true, value);
        return value;
    }

    private static RegoValue? Finished(Cached cached, RuleNode node) =>
        cached.IsFinished ? cached.Value : throw Fault.Of(RegoErrorCode.Recursion, $"rule {node.Path} is recursive", default);
}
