using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>What rego.metadata.rule() and rego.metadata.chain() give in each rule.</summary>
sealed class Metadata
{
    private readonly Dictionary<RuleNode, List<RegoValue>> _documents = [];
    private readonly List<(IReadOnlyList<string> Package, string Scope, RegoValue Annotations)> _packages = [];

    public void AddPackage(ModuleSyntax module)
    {
        foreach (var annotation in module.Annotations)
            _packages.Add((module.Package, annotation.Scope ?? "package", annotation.ToValue("package")));
    }

    public void AddRule(RuleNode node, RuleSyntax rule)
    {
        foreach (var annotation in rule.Annotations.Where(a => a.Scope == "document"))
        {
            if (!_documents.TryGetValue(node, out var list))
                _documents.Add(node, list = []);
            list.Add(annotation.ToValue("document"));
        }
    }

    /// <summary>The annotations of one rule's own scope; an empty object if there are none.</summary>
    public static RegoValue OfRule(RuleSyntax rule) =>
        rule.Annotations.LastOrDefault(a => a.Scope is null or "rule")?.ToValue("rule") ?? RegoObject.Empty;

    /// <summary>From the rule outwards: rule, document, package, and packages around it that annotate their sub-packages.</summary>
    public RegoArray Chain(ModuleSyntax module, RuleNode node, RuleSyntax rule)
    {
        var path = PathOf(node);
        var chain = new List<RegoValue>();
        var own = rule.Annotations.Where(a => a.Scope is null or "rule").Select(a => a.ToValue("rule")).ToList();
        if (own.Count == 0)
            chain.Add(RegoValue.ObjectOf(("path", path)));
        chain.AddRange(own.Select(a => Entry(path, a)));
        chain.AddRange((_documents.GetValueOrDefault(node) ?? []).Select(a => Entry(path, a)));
        for (var length = module.Package.Count; length > 0; length--)
        {
            var package = module.Package.Take(length).ToArray();
            var here = _packages.Where(p => p.Package.SequenceEqual(package) && (length == module.Package.Count || p.Scope == "subpackages"));
            chain.AddRange(here.Select(p => Entry(RegoValue.ArrayOf([.. package.Select(RegoValue.Of)]), p.Annotations)));
        }

        return RegoArray.From(chain);
    }

    private static RegoValue Entry(RegoValue path, RegoValue annotations) => RegoValue.ObjectOf(("annotations", annotations), ("path", path));

    private static RegoArray PathOf(RuleNode node)
    {
        var keys = new List<RegoValue>();
        for (var n = node; n.Parent is not null; n = n.Parent)
            keys.Insert(0, n.Key);
        return RegoArray.From(keys);
    }
}
