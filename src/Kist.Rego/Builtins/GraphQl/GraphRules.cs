namespace Kist.Rego.Builtins.GraphQl;

/// <summary>The rules for executable documents (GraphQL, October 2021, section 5): the first that is broken is thrown.</summary>
sealed partial class GraphRules
{
    private readonly GraphSchema _schema;
    private readonly GraphNode _document;
    private readonly GraphWalker _walk;
    private readonly BuiltinContext _context;

    private GraphRules(GraphSchema schema, GraphNode document, BuiltinContext context)
    {
        (_schema, _document, _context) = (schema, document, context);
        _walk = new GraphWalker(schema, document, context);
    }

    private List<GraphNode> Operations => _document.List("Operations");

    private List<GraphNode> Fragments => _document.List("Fragments");

    /// <summary>Checks a document against a schema, and writes into its tree what its parts stand for.</summary>
    /// <exception cref="GraphFault">It is not valid.</exception>
    public static void Check(GraphSchema schema, GraphNode document, BuiltinContext context)
    {
        var rules = new GraphRules(schema, document, context);
        rules.Cycles();
        rules._walk.Walk();
        rules.CheckOperations();
        rules.CheckFragments();
        rules.CheckFields();
        rules.CheckDirectives();
        rules.CheckVariables();
        rules.CheckValues();
        rules.CheckMerging();
    }

    /// <summary>True for an argument or input field that must be given.</summary>
    public static bool IsRequired(GraphNode definition) => definition.Needed("Type").Flag("NonNull") && definition["DefaultValue"] is null;

    private void CheckOperations()
    {
        Unique(Operations.Where(o => o.Name.Length > 0), o => o.Name, o => $"There can be only one operation named \"{o.Name}\".");
        if (Operations.Count > 1 && Operations.Find(o => o.Name.Length == 0) is { } anonymous)
            throw GraphFault.At(anonymous, "This anonymous operation must be the only defined operation.");
        foreach (var operation in Operations)
        {
            var kind = operation.Text("Operation");
            if (_schema.Root(kind) is null)
                throw GraphFault.At(operation, $"Schema does not support operation type \"{kind}\"");
            if (kind == "subscription" && operation.List("SelectionSet").Count != 1)
                throw GraphFault.At(operation, $"{(operation.Name.Length > 0 ? $"Subscription \"{operation.Name}\"" : "Anonymous Subscription")} must select only one top level field.");
        }
    }

    private void CheckFragments()
    {
        Unique(Fragments, f => f.Name, f => $"There can be only one fragment named \"{f.Name}\".");
        foreach (var spread in _walk.Spreads.Where(s => s.Node("Definition") is null))
            throw GraphFault.At(spread, $"Unknown fragment \"{spread.Name}\".");
        foreach (var fragment in Fragments.Concat(_walk.InlineFragments.Where(f => f.Text("TypeCondition").Length > 0)))
        {
            var type = fragment.Text("TypeCondition");
            if (!GraphSchema.IsComposite(_schema.Type(type) ?? throw GraphFault.At(fragment, $"Unknown type \"{type}\".")))
                throw GraphFault.At(fragment, $"Fragment cannot condition on non composite type \"{type}\".");
        }

        var used = new HashSet<string>(Operations.SelectMany(Reachable).Select(f => f.Name), StringComparer.Ordinal);
        foreach (var fragment in Fragments.Where(f => !used.Contains(f.Name)))
            throw GraphFault.At(fragment, $"Fragment \"{fragment.Name}\" is never used.");
        foreach (var spread in _walk.Spreads)
            CanSpread(spread, _schema.Type(spread.Node("Definition")!.Text("TypeCondition")), $"Fragment \"{spread.Name}\"");
        foreach (var fragment in _walk.InlineFragments.Where(f => f.Text("TypeCondition").Length > 0))
            CanSpread(fragment, _schema.Type(fragment.Text("TypeCondition")), "Fragment");
    }

    private void CanSpread(GraphNode spread, GraphNode? type, string what)
    {
        if (spread.Node("ObjectDefinition") is { } parent && type is not null && !_schema.PossibleTypes(parent).Intersect(_schema.PossibleTypes(type)).Any())
            throw GraphFault.At(spread, $"{what} cannot be spread here as objects of type \"{parent.Name}\" can never be of type \"{type.Name}\".");
    }

    private void CheckFields()
    {
        foreach (var field in _walk.Fields)
        {
            var parent = field.Node("ObjectDefinition");
            if (field.Node("Definition") is not { } definition)
            {
                if (parent is null)
                    continue;
                throw GraphFault.At(field, $"Cannot query field \"{field.Name}\" on type \"{parent.Name}\".");
            }

            var type = GraphSchema.Write(definition.Needed("Type"));
            var isComposite = GraphSchema.IsComposite(_schema.TypeOf(definition.Node("Type")));
            if (isComposite && field.List("SelectionSet").Count == 0)
                throw GraphFault.At(field, $"Field \"{field.Name}\" of type \"{type}\" must have a selection of subfields. Did you mean \"{field.Name} {{ ... }}\"?");
            if (!isComposite && field.List("SelectionSet").Count > 0)
                throw GraphFault.At(field, $"Field \"{field.Name}\" must not have a selection since type \"{type}\" has no subfields.");
            Arguments(field, definition, $"Field \"{field.Name}\"", parent is null ? "" : $" on field \"{parent.Name}.{field.Name}\"");
        }
    }

    private void CheckDirectives()
    {
        foreach (var (directive, siblings) in _walk.Directives)
        {
            var definition = directive.Node("Definition") ?? throw GraphFault.At(directive, $"Unknown directive \"@{directive.Name}\".");
            var location = directive.Text("Location");
            if (!definition.Names("Locations").Contains(location))
                throw GraphFault.At(directive, $"Directive \"@{directive.Name}\" may not be used on {location}.");
            if (!definition.Flag("IsRepeatable") && siblings.Count(d => d.Name == directive.Name) > 1)
                throw GraphFault.At(directive, $"The directive \"@{directive.Name}\" can only be used once at this location.");
            Arguments(directive, definition, $"Directive \"@{directive.Name}\"", $" on directive \"@{directive.Name}\"");
        }
    }

    private static void Arguments(GraphNode owner, GraphNode definition, string what, string place)
    {
        var given = owner.List("Arguments");
        foreach (var argument in given.Where(a => definition.Find("Arguments", a.Name) is null))
            throw GraphFault.At(argument, $"Unknown argument \"{argument.Name}\"{place}.");
        Unique(given, a => a.Name, a => $"There can be only one argument named \"{a.Name}\".");
        foreach (var argument in definition.List("Arguments").Where(IsRequired))
        {
            if (owner.Find("Arguments", argument.Name) is null)
                throw GraphFault.At(owner, $"{what} argument \"{argument.Name}\" of type \"{GraphSchema.Write(argument.Needed("Type"))}\" is required, but it was not provided.");
        }
    }

    private static void Unique(IEnumerable<GraphNode> nodes, Func<GraphNode, string> name, Func<GraphNode, string> message)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in nodes.Where(n => !seen.Add(name(n))))
            throw GraphFault.At(node, message(node));
    }
}
