namespace Kist.Rego.Builtins;

/// <summary>graph.*: graphs are objects from nodes to arrays or sets of neighbours.</summary>
static class GraphBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("graph.reachable", 2, Reachable);
        table.Add("graph.reachable_paths", 2, Paths);
    }

    private static RegoValue? Reachable(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var graph) || !c.ArrayOrSet(a, 1, out var initial))
            return null;
        var reached = new RegoSetBuilder();
        var queue = new Queue<RegoValue>(initial.ToArray());
        while (queue.TryDequeue(out var node))
        {
            c.Evaluation.Tick();
            if (graph.Get(node) is not { } neighbours || !reached.Add(node))
                continue;
            foreach (var (_, next) in Neighbours(neighbours))
                queue.Enqueue(next);
        }

        return reached.ToSet();
    }

    private static IEnumerable<(RegoValue Key, RegoValue Value)> Neighbours(RegoValue value) =>
        value is RegoArray or RegoSet ? Evaluation.Items.Of(value) : [];

    /// <summary>All paths from the initial nodes to where they end: a node without neighbours, or one seen before.</summary>
    private static RegoValue? Paths(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var graph) || !c.ArrayOrSet(a, 1, out var initial))
            return null;
        var paths = new RegoSetBuilder();
        foreach (var node in initial)
            Extend(c, graph, node, [], [], paths);
        return paths.ToSet();
    }

    private static void Extend(BuiltinContext c, RegoObject graph, RegoValue node, List<RegoValue> path, HashSet<RegoValue> seen, RegoSetBuilder paths)
    {
        c.Evaluation.Tick();
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        if (graph.Get(node) is not { } neighbours)
        {
            // A neighbour that is no node of the graph is not part of the path.
            if (path.Count > 0)
                paths.Add(RegoArray.From(path));
            return;
        }

        if (!seen.Add(node))
        {
            paths.Add(RegoArray.From(path));
            return;
        }

        path.Add(node);
        var any = false;
        foreach (var (_, next) in Neighbours(neighbours))
        {
            any = true;
            Extend(c, graph, next, path, seen, paths);
        }

        if (!any)
            paths.Add(RegoArray.From(path));
        path.RemoveAt(path.Count - 1);
        seen.Remove(node);
    }
}
