namespace Kist.Rego.Builtins.GraphQl;

/// <summary>A schema made of a document and the <see cref="GraphPrelude"/>: types by name, roots, and who is what.</summary>
sealed class GraphSchema
{
    private static readonly string[] MergedNodes = ["Directives", "Fields", "EnumValues"];
    private static readonly string[] MergedNames = ["Interfaces", "Types"];

    private readonly Dictionary<string, GraphNode> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GraphNode> _directives = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GraphNode> _roots = new(StringComparer.Ordinal);

    private GraphSchema()
    {
    }

    public IEnumerable<GraphNode> Types => _types.Values;

    public IEnumerable<GraphNode> Directives => _directives.Values;

    /// <summary>Makes a schema of a document, whose types take in their extensions.</summary>
    /// <exception cref="GraphFault">The document is no valid schema.</exception>
    public static GraphSchema Load(GraphNode document, BuiltinContext c)
    {
        var schema = new GraphSchema();
        schema.Add(new GraphSchemaParser(GraphPrelude.Text, c, isBuiltIn: true).Document());
        schema.Add(document);
        var entries = document.List("Schema");
        if (entries.Count > 1)
            throw GraphFault.At(entries[1], "Cannot have multiple schema entry points, consider schema extensions instead.");
        entries.ForEach(schema.AddRoots);
        document.List("SchemaExtension").ForEach(schema.AddRoots);
        new GraphSchemaChecks(schema, c).Check();
        entries.ForEach(e => new GraphSchemaChecks(schema, c).Directives(e, "SCHEMA"));
        if (entries.Count == 0)
            schema.InferRoots();
        if (schema.Root("query") is { } query)
            AddIntrospection(query);
        return schema;
    }

    public GraphNode? Type(string name) => _types.GetValueOrDefault(name);

    /// <summary>The type at the core of a reference to a type, or null.</summary>
    public GraphNode? TypeOf(GraphNode? reference) => reference is null ? null : Type(NameOf(reference));

    public GraphNode? Directive(string name) => _directives.GetValueOrDefault(name);

    /// <summary>The root type of query, mutation or subscription; null if there is none.</summary>
    public GraphNode? Root(string operation) => _roots.GetValueOrDefault(operation);

    /// <summary>The objects that a value of a type can be.</summary>
    public IEnumerable<string> PossibleTypes(GraphNode type) => type.Text("Kind") switch
    {
        "UNION" => type.Names("Types"),
        "INTERFACE" => Types.Where(t => t.Text("Kind") == "OBJECT" && t.Names("Interfaces").Contains(type.Name)).Select(t => t.Name),
        _ => [type.Name],
    };

    public static string NameOf(GraphNode reference) => reference.Node("Elem") is { } element ? NameOf(element) : reference.Text("NamedType");

    /// <summary>A reference to a type as it is written.</summary>
    public static string Write(GraphNode reference) =>
        (reference.Node("Elem") is { } element ? $"[{Write(element)}]" : reference.Text("NamedType")) + (reference.Flag("NonNull") ? "!" : "");

    public static bool IsInput(GraphNode? type) => type?.Text("Kind") is "SCALAR" or "ENUM" or "INPUT_OBJECT";

    public static bool IsComposite(GraphNode? type) => type?.Text("Kind") is "OBJECT" or "INTERFACE" or "UNION";

    private void Add(GraphNode document)
    {
        foreach (var type in document.List("Definitions"))
        {
            if (!_types.TryAdd(type.Name, type))
                throw GraphFault.At(type, $"Cannot redeclare type {type.Name}.");
        }

        document.List("Extensions").ForEach(Extend);
        foreach (var directive in document.List("Directives"))
        {
            if (!_directives.TryAdd(directive.Name, directive))
                throw GraphFault.At(directive, $"Cannot redeclare directive {directive.Name}.");
        }
    }

    private void Extend(GraphNode extension)
    {
        if (!_types.TryGetValue(extension.Name, out var type))
        {
            type = new GraphNode(extension.Line, extension.Column);
            (type["Kind"], type["Name"], type["Description"], type["BuiltIn"]) = (extension["Kind"], extension["Name"], "", false);
            _types.Add(extension.Name, type);
        }

        if (type.Text("Kind") != extension.Text("Kind"))
            throw GraphFault.At(extension, $"Cannot extend type {extension.Name} because the base type is a {type.Text("Kind")}, not {extension.Text("Kind")}.");
        foreach (var list in MergedNodes.Where(l => extension.List(l).Count > 0))
            type.OwnList(list).AddRange(extension.List(list));
        foreach (var list in MergedNames.Where(l => extension.Names(l).Count > 0))
            type[list] = type.Names(list).Concat(extension.Names(list)).ToList();
    }

    private void AddRoots(GraphNode entry)
    {
        foreach (var root in entry.List("OperationTypes"))
        {
            _roots[root.Text("Operation")] = Type(root.Text("Type"))
                ?? throw GraphFault.At(root, $"Schema root {root.Text("Operation")} refers to a type {root.Text("Type")} that does not exist.");
        }
    }

    private void InferRoots()
    {
        foreach (var (operation, name) in new[] { ("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription") })
        {
            if (Type(name) is { } type)
                _roots.TryAdd(operation, type);
        }
    }

    private static void AddIntrospection(GraphNode query)
    {
        var schema = new GraphNode { ["Name"] = "__schema", ["Description"] = "", ["Type"] = Reference("__Schema", isRequired: true) };
        var name = new GraphNode { ["Name"] = "name", ["Description"] = "", ["Type"] = Reference("String", isRequired: true) };
        var type = new GraphNode { ["Name"] = "__type", ["Description"] = "", ["Type"] = Reference("__Type", isRequired: false), ["Arguments"] = new List<GraphNode> { name } };
        if (query.Find("Fields", "__schema") is null)
            query.OwnList("Fields").AddRange([schema, type]);
    }

    public static GraphNode Reference(string name, bool isRequired) => new() { ["NamedType"] = name, ["NonNull"] = isRequired };
}
