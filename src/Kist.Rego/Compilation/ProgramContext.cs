using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>What compiling a body needs to know of the whole program.</summary>
sealed class ProgramContext(RuleNode root, FunctionTable functions, IReadOnlyDictionary<string, string[]> lines)
{
    public FunctionTable Functions => functions;

    public RuleNode Root => root;

    /// <summary>
    /// Follows the constant keys at the beginning of a path under <c>data</c> through the nodes that have no rules.
    /// </summary>
    /// <returns>Where to start, and how many keys that took.</returns>
    public (DataStart Start, int Keys) DataStart(IReadOnlyList<Term> path)
    {
        RuleNode? node = root;
        var prefix = new List<RegoValue>();
        foreach (var key in path)
        {
            if (node is not { Kind: RuleNodeKind.None } || key is not ConstantTerm c)
                break;
            node = node.Child(c.Value);
            prefix.Add(c.Value);
        }

        return (new DataStart(root, node, [.. prefix]), prefix.Count);
    }

    /// <summary>The node that <c>with</c> replaces; null if there are no rules at the path.</summary>
    /// <exception cref="RegoException">The path leads into a rule's value.</exception>
    public RuleNode? ReplaceableNode(RegoValue[] path, RegoLocation at)
    {
        var node = root;
        foreach (var key in path)
        {
            if (node.HasRules)
                throw new RegoException(RegoErrorCode.Compile, "with keyword cannot partially replace virtual document(s)", at);
            if (node.Child(key) is not { } child)
                return null;
            node = child;
        }

        return node;
    }

    /// <summary>The source text from a place to the end of its line.</summary>
    public string LineAt(RegoLocation at)
    {
        if (!lines.TryGetValue(at.File, out var text) || at.Row < 1 || at.Row > text.Length)
            return "";
        var line = text[at.Row - 1];
        return at.Column <= line.Length ? line[(at.Column - 1)..].TrimEnd() : line.Trim();
    }
}
