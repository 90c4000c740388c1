using Kist.Rego.Syntax;

namespace Kist.Rego.Evaluation;

/// <summary>
/// A node of the tree of virtual documents. A node has rules, or children, or (for objects with computed keys) both.
/// </summary>
sealed class RuleNode(RuleNode? parent, RegoValue key)
{
    private Dictionary<RegoValue, RuleNode>? _children;

    public RuleNode? Parent => parent;

    public RegoValue Key => key;

    /// <summary>The rules whose name ends here, in the order of the source.</summary>
    public List<CompiledRule> Rules { get; } = [];

    /// <summary>The default rule, or null.</summary>
    public CompiledRule? Default { get; set; }

    public RuleNodeKind Kind { get; set; }

    /// <summary>The number of arguments of a function.</summary>
    public int Arity { get; set; }

    /// <summary>True if all rules give the same constant, so that the first that holds decides.</summary>
    public bool FirstDecides { get; set; }

    public bool HasRules => Kind != RuleNodeKind.None;

    public IEnumerable<RuleNode> Children => _children?.Values.AsEnumerable() ?? [];

    public bool HasChildren => _children is not null;

    public RuleNode? Child(RegoValue childKey) => _children?.GetValueOrDefault(childKey);

    public RuleNode GetOrAddChild(RegoValue childKey)
    {
        _children ??= [];
        if (!_children.TryGetValue(childKey, out var child))
            _children.Add(childKey, child = new RuleNode(this, childKey));
        return child;
    }

    /// <summary>This node and all below it.</summary>
    public IEnumerable<RuleNode> Subtree() => Children.SelectMany(c => c.Subtree()).Prepend(this);

    /// <summary><c>data.package.rule</c>.</summary>
    public string Path => parent is null ? "data" : Names.Append(parent.Path, key);
}

enum RuleNodeKind
{
    /// <summary>No rules: a package, or a part of a longer name.</summary>
    None,

    /// <summary>One value.</summary>
    Complete,

    /// <summary>A set.</summary>
    Set,

    /// <summary>An object whose keys are computed, perhaps several levels of it.</summary>
    Object,

    /// <summary>A function.</summary>
    Function,
}

static class Names
{
    /// <summary>A reference with one more key, in the shortest notation.</summary>
    public static string Append(string path, RegoValue key) =>
        key is RegoString { Value: var s } && IsIdentifier(s) ? $"{path}.{s}" : $"{path}[{key}]";

    public static bool IsIdentifier(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
