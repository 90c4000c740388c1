namespace Kist.Rego.Builtins.GraphQl;

/// <summary>Which fragments reach which, and whether fields of one name can be merged (sections 5.3.2 and 5.5.2).</summary>
sealed partial class GraphRules
{
    /// <summary>Refuses fragments that spread themselves, before anything follows them.</summary>
    private void Cycles()
    {
        foreach (var fragment in Fragments)
        {
            if (Reachable(fragment).Contains(fragment))
                throw GraphFault.At(fragment, $"Cannot spread fragment \"{fragment.Name}\" within itself.");
        }
    }

    /// <summary>The fragments that an operation or fragment spreads, and those that these spread.</summary>
    private HashSet<GraphNode> Reachable(GraphNode start)
    {
        var reached = new HashSet<GraphNode>();
        var waiting = new Stack<GraphNode>([start]);
        while (waiting.TryPop(out var node))
        {
            _context.Evaluation.Tick();
            foreach (var spread in Spreads(node))
            {
                if (_document.Find("Fragments", spread) is { } fragment && reached.Add(fragment))
                    waiting.Push(fragment);
            }
        }

        return reached;
    }

    /// <summary>The names of the fragments that are spread in a node's own selections.</summary>
    private static IEnumerable<string> Spreads(GraphNode node) => node.List("SelectionSet").SelectMany(s =>
        s["Alias"] is null && s["TypeCondition"] is null ? [s.Name] : Spreads(s));

    private void CheckMerging()
    {
        foreach (var operation in Operations)
            Merge([operation]);
    }

    /// <summary>All fields of one response name, in the selections of the owners together, must be the same field, and so on below them.</summary>
    private void Merge(List<GraphNode> owners)
    {
        var fields = new List<GraphNode>();
        owners.ForEach(o => Flatten(o, fields, []));
        foreach (var group in fields.GroupBy(f => f.Text("Alias"), StringComparer.Ordinal))
        {
            var first = group.First();
            foreach (var other in group.Skip(1))
            {
                _context.Evaluation.Tick();
                Compare(first, other);
            }

            if (group.Any(f => f.List("SelectionSet").Count > 0))
                Merge([.. group]);
        }
    }

    private void Flatten(GraphNode owner, List<GraphNode> fields, HashSet<string> visited)
    {
        foreach (var selection in owner.List("SelectionSet"))
        {
            _context.Evaluation.Tick();
            if (selection["Alias"] is not null)
                fields.Add(selection);
            else if (selection["TypeCondition"] is not null)
                Flatten(selection, fields, visited);
            else if (visited.Add(selection.Name) && selection.Node("Definition") is { } fragment)
                Flatten(fragment, fields, visited);
        }
    }

    private static void Compare(GraphNode a, GraphNode b)
    {
        var (left, right) = (a.Node("ObjectDefinition"), b.Node("ObjectDefinition"));
        // Fields of two different objects never occur together; only their types must agree.
        var canMeet = left == right || left?.Text("Kind") != "OBJECT" || right?.Text("Kind") != "OBJECT";
        if (canMeet && a.Name != b.Name)
            throw Conflict(b, $"\"{a.Name}\" and \"{b.Name}\" are different fields");
        if (canMeet && Written(a) != Written(b))
            throw Conflict(b, "they have differing arguments");
        if (a.Node("Definition")?.Node("Type") is { } first && b.Node("Definition")?.Node("Type") is { } second && Differ(first, second))
            throw Conflict(b, $"they return conflicting types \"{GraphSchema.Write(first)}\" and \"{GraphSchema.Write(second)}\"");
    }

    private static GraphFault Conflict(GraphNode field, string why) =>
        GraphFault.At(field, $"Fields \"{field.Text("Alias")}\" conflict because {why}. Use different aliases on the fields to fetch both if this was intentional.");

    private static string Written(GraphNode field) =>
        string.Join(',', field.List("Arguments").OrderBy(a => a.Name, StringComparer.Ordinal).Select(a => $"{a.Name}:{WrittenValue(a.Needed("Value"))}"));

    private static string WrittenValue(GraphNode value) =>
        $"{value["Kind"]} {value.Text("Raw")}({string.Join(',', value.List("Children").Select(c => $"{c.Name}:{WrittenValue(c.Needed("Value"))}"))})";

    /// <summary>Types differ in shape: in lists, in what may be null, or in the scalar at the core.</summary>
    private static bool Differ(GraphNode a, GraphNode b)
    {
        if (a.Flag("NonNull") != b.Flag("NonNull") || a.Node("Elem") is null != b.Node("Elem") is null)
            return true;
        return a.Node("Elem") is { } element ? Differ(element, b.Node("Elem")!) : false;
    }
}
