using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Puts every rule at its node, and checks that the rules there fit together.</summary>
sealed class RuleTreeBuilder(List<RegoError> errors)
{
    private readonly Dictionary<RuleNode, RegoLocation> _places = [];

    public RuleNode Root { get; } = new(null, RegoNull.Instance);

    /// <summary>The node of a package.</summary>
    public RuleNode Package(ModuleSyntax module)
    {
        var node = Root;
        foreach (var name in module.Package)
            node = node.GetOrAddChild(new RegoString(name));
        return node;
    }

    /// <summary>The node of a rule, and the keys of its name that are computed.</summary>
    public (RuleNode Node, List<Term> Suffix) Place(RuleNode package, RuleSyntax rule)
    {
        var head = rule.Head;
        var node = package.GetOrAddChild(new RegoString(head.Name));
        var i = 0;
        for (; i < head.Path.Count && head.Path[i] is ConstantTerm { Value: RegoString key }; i++)
            node = node.GetOrAddChild(key);
        var suffix = head.Path.Skip(i).ToList();
        var kind = head.Kind == RuleKind.Function ? RuleNodeKind.Function
            : suffix.Count > 0 ? RuleNodeKind.Object
            : head.Kind == RuleKind.Set ? RuleNodeKind.Set : RuleNodeKind.Complete;
        if (kind == RuleNodeKind.Function && suffix.Count > 0)
            Error(RegoErrorCode.Parse, "a function's name cannot have computed parts", rule.At);
        else if (!node.HasRules || (rule.IsDefault && node.Kind == kind))
            node.Kind = kind;
        else if (node.Kind != kind)
            Error(RegoErrorCode.Type, $"conflicting rules {node.Path} found", rule.At);
        Arity(node, rule);
        _places.TryAdd(node, rule.At);
        return (node, suffix);
    }

    /// <summary>No name may continue below a rule that has one value, a set or a function.</summary>
    public void CheckConflicts()
    {
        foreach (var node in Root.Subtree())
        {
            if (node.Kind is RuleNodeKind.None or RuleNodeKind.Object || !node.HasChildren)
                continue;
            var below = node.Subtree().Skip(1).Where(n => n.HasRules).Select(n => n.Path).ToList();
            if (below.Count > 0)
                Error(RegoErrorCode.Type, $"rule {node.Path} conflicts with [{string.Join(' ', below)}]", _places[node]);
        }
    }

    private void Arity(RuleNode node, RuleSyntax rule)
    {
        if (rule.Head.Arguments is not { } arguments)
            return;
        if (_places.ContainsKey(node) && node.Arity != arguments.Count)
            Error(RegoErrorCode.Type, $"conflicting rules {node.Path} found", rule.At);
        node.Arity = arguments.Count;
    }

    private void Error(string code, string message, RegoLocation at) => errors.Add(new RegoError(code, message, at));
}
