using Kist.Rego.Evaluation;
using Kist.Rego.Syntax;

namespace Kist.Rego.Compilation;

/// <summary>Which rules refer to which, so that none refers to itself.</summary>
sealed class Dependencies(ProgramContext program)
{
    private readonly Dictionary<RuleNode, HashSet<RuleNode>> _edges = [];
    private readonly Dictionary<RuleNode, RegoLocation> _places = [];

    /// <summary>Adds what a resolved rule refers to.</summary>
    public void Add(RuleNode node, RuleSyntax rule)
    {
        _places.TryAdd(node, rule.At);
        if (!_edges.TryGetValue(node, out var targets))
            _edges.Add(node, targets = []);
        for (var branch = rule; branch is not null; branch = branch.Else)
        {
            Visit(branch.Body, targets);
            Visit(branch.Head.Value, targets);
            foreach (var key in branch.Head.Path)
                Visit(key, targets);
        }
    }

    /// <summary>Reports each rule that depends on itself.</summary>
    public void Check(List<RegoError> errors)
    {
        var finished = new HashSet<RuleNode>();
        foreach (var start in _edges.Keys)
            Search(start, finished, errors);
    }

    /// <summary>Depth first, without recursion: a policy may have very many rules.</summary>
    private void Search(RuleNode start, HashSet<RuleNode> finished, List<RegoError> errors)
    {
        var path = new List<RuleNode>();
        var onPath = new HashSet<RuleNode>();
        var stack = new Stack<(RuleNode Node, bool Leave)>([(start, false)]);
        while (stack.TryPop(out var entry))
        {
            if (entry.Leave)
            {
                onPath.Remove(entry.Node);
                path.RemoveAt(path.Count - 1);
                finished.Add(entry.Node);
            }
            else if (onPath.Contains(entry.Node))
            {
                var cycle = path.SkipWhile(n => n != entry.Node).Append(entry.Node).Select(n => n.Path).ToList();
                errors.Add(new RegoError(RegoErrorCode.Recursion, $"rule {cycle[0]} is recursive: {string.Join(" -> ", cycle)}", _places[entry.Node]));
                return;
            }
            else if (!finished.Contains(entry.Node))
            {
                onPath.Add(entry.Node);
                path.Add(entry.Node);
                stack.Push((entry.Node, true));
                foreach (var next in _edges.GetValueOrDefault(entry.Node) ?? [])
                    stack.Push((next, false));
            }
        }
    }

    private void Visit(Body body, HashSet<RuleNode> targets)
    {
        foreach (var e in body.Expressions)
        {
            switch (e)
            {
                case TermExpression t:
                    Visit(t.Term, targets);
                    break;
                case SomeInExpression s:
                    Visit(s.Domain, targets);
                    Visit(s.Value, targets);
                    if (s.Key is not null)
                        Visit(s.Key, targets);
                    break;
                case EveryExpression every:
                    Visit(every.Domain, targets);
                    Visit(every.Body, targets);
                    break;
                case NotExpression not:
                    Visit(not.Body, targets);
                    break;
            }

            foreach (var with in e.With)
                Visit(with.Value, targets);
        }
    }

    private void Visit(Term term, HashSet<RuleNode> targets)
    {
        switch (term)
        {
            case VariableTerm { Name: "data" }:
                Reach([], targets);
                break;
            case ReferenceTerm r:
                if (r.Head is VariableTerm { Name: "data" })
                    Reach(r.Path, targets);
                else
                    Visit(r.Head, targets);
                foreach (var key in r.Path)
                    Visit(key, targets);
                break;
            case CallTerm c:
                if (program.Functions.Function(c.Function) is { } function)
                    targets.Add(function);
                foreach (var argument in c.Arguments)
                    Visit(argument, targets);
                break;
            case ComprehensionTerm c:
                Visit(c.Body, targets);
                Visit(c.Value, targets);
                if (c.Key is not null)
                    Visit(c.Key, targets);
                break;
            case TemplateTerm t:
                foreach (var part in t.Parts)
                    Visit(part, targets);
                break;
            default:
                foreach (var item in Variables.Items(term))
                    Visit(item, targets);
                break;
        }
    }

    /// <summary>All rules that a reference can reach: those on its way, and those below its end.</summary>
    private void Reach(IReadOnlyList<Term> path, HashSet<RuleNode> targets)
    {
        var nodes = new List<RuleNode> { program.Root };
        foreach (var key in path)
        {
            var next = new List<RuleNode>();
            foreach (var node in nodes)
            {
                if (node.HasRules)
                    targets.Add(node);
                if (key is ConstantTerm c)
                {
                    if (node.Child(c.Value) is { } child)
                        next.Add(child);
                }
                else
                {
                    next.AddRange(node.Children);
                }
            }

            nodes = next;
        }

        foreach (var node in nodes.SelectMany(n => n.Subtree()))
        {
            if (node.HasRules && node.Kind != RuleNodeKind.Function)
                targets.Add(node);
        }
    }
}
