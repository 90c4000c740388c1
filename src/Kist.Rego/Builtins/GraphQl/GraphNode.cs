namespace Kist.Rego.Builtins.GraphQl;

/// <summary>A fault in a GraphQL document, with its place where that is known.</summary>
sealed class GraphFault(string message, int line = 0, int column = 0) : FormatException(message)
{
    /// <summary>Counts from 1; 0 if the place is not known.</summary>
    public int Line => line;

    /// <summary>Counts characters from 1.</summary>
    public int Column => column;

    public static GraphFault At(GraphNode node, string message) => new(message, node.Line, node.Column);
}

/// <summary>
/// A node of a GraphQL syntax tree. Its members have the names that the trees of OPA's GraphQL functions have; values are
/// strings, numbers, booleans, nodes, and lists of nodes or of strings. What is not there is null or an empty list.
/// </summary>
sealed class GraphNode(int line = 0, int column = 0)
{
    private const int MaxDepth = 300;

    private readonly SortedDictionary<string, object?> _members = new(StringComparer.Ordinal);

    public int Line => line;

    public int Column => column;

    public object? this[string name]
    {
        get => _members.GetValueOrDefault(name);
        set => _members[name] = value;
    }

    /// <summary>The member as a string; empty if it is not there.</summary>
    public string Text(string name) => this[name] as string ?? "";

    public string Name => Text("Name");

    public bool Flag(string name) => this[name] is true;

    public GraphNode? Node(string name) => this[name] as GraphNode;

    /// <summary>A member without which the tree is none: trees may come from policies.</summary>
    /// <exception cref="GraphFault">It is not there.</exception>
    public GraphNode Needed(string name) => Node(name) ?? throw GraphFault.At(this, $"member {name} is missing in the syntax tree");

    /// <summary>The kind of a value.</summary>
    /// <exception cref="GraphFault">The node is no value.</exception>
    public long Kind => this["Kind"] is long kind ? kind : throw GraphFault.At(this, "a value has no kind");

    /// <summary>The nodes of a list; a new empty list if there is none.</summary>
    public List<GraphNode> List(string name) => this[name] as List<GraphNode> ?? [];

    public List<string> Names(string name) => this[name] as List<string> ?? [];

    /// <summary>The node of that name in a list, or null.</summary>
    public GraphNode? Find(string list, string name) => List(list).Find(n => n.Name == name);

    /// <summary>The list, which is made if there is none.</summary>
    public List<GraphNode> OwnList(string name)
    {
        if (this[name] is not List<GraphNode> list)
            this[name] = list = [];
        return list;
    }

    /// <summary>The tree as a value. Shared nodes are converted once.</summary>
    /// <exception cref="GraphFault">The tree is too deep.</exception>
    public RegoValue ToValue(BuiltinContext c) => ToValue(c, [], 0);

    private RegoValue ToValue(BuiltinContext c, Dictionary<GraphNode, RegoValue> known, int depth)
    {
        if (known.TryGetValue(this, out var value))
            return value;
        if (depth > MaxDepth)
            throw GraphFault.At(this, "the document is nested too deeply");
        c.Evaluation.Tick();
        var entries = new List<(string, RegoValue)>();
        foreach (var (name, member) in _members)
        {
            if (Convert(member, c, known, depth) is { } converted)
                entries.Add((name, converted));
        }

        return known[this] = RegoValue.ObjectOf([.. entries]);
    }

    private static RegoValue? Convert(object? member, BuiltinContext c, Dictionary<GraphNode, RegoValue> known, int depth) => member switch
    {
        string s => new RegoString(s),
        bool b => RegoValue.Of(b),
        long n => RegoValue.Of(n),
        GraphNode node => node.ToValue(c, known, depth + 1),
        List<GraphNode> { Count: > 0 } nodes => RegoValue.ArrayOf([.. nodes.Select(n => n.ToValue(c, known, depth + 1))]),
        List<string> { Count: > 0 } names => RegoValue.ArrayOf([.. names.Select(RegoValue.Of)]),
        _ => null,
    };

    /// <summary>Reads a tree that <see cref="ToValue(BuiltinContext)"/> made.</summary>
    /// <exception cref="GraphFault">A member is of no kind that a tree has, or the tree is too deep.</exception>
    public static GraphNode FromValue(RegoObject value, BuiltinContext c, int depth = 0)
    {
        if (depth > MaxDepth)
            throw new GraphFault("the document is nested too deeply");
        c.Evaluation.Tick();
        var node = new GraphNode();
        for (var i = 0; i < value.Count; i++)
        {
            if (value.Keys[i] is not RegoString name)
                throw new GraphFault("a key is not a string");
            node[name.Value] = value.Values[i] switch
            {
                RegoString s => s.Value,
                RegoBoolean b => b.Value,
                RegoNumber n when n.TryGetInteger(out var big) && big >= 0 && big <= int.MaxValue => (long)big,
                RegoObject o => FromValue(o, c, depth + 1),
                RegoArray a when a.Items.Length > 0 && a.Items[0] is RegoString => a.Items.ToArray().Select(s => (s as RegoString)?.Value ?? throw Unknown(name)).ToList(),
                RegoArray a => a.Items.ToArray().Select(o => FromValue(o as RegoObject ?? throw Unknown(name), c, depth + 1)).ToList(),
                RegoNull => null,
                _ => throw Unknown(name),
            };
        }

        return node;
    }

    private static GraphFault Unknown(RegoString name) => new($"member {name.Value} is not of a syntax tree");
}
