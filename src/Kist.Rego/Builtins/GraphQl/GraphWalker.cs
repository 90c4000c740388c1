namespace Kist.Rego.Builtins.GraphQl;

/// <summary>
/// Goes through a document beside its schema and writes into its tree what each part stands for, as the trees of OPA's
/// functions say it. What the rules look at is collected on the way.
/// </summary>
sealed class GraphWalker(GraphSchema schema, GraphNode document, BuiltinContext context)
{
    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);
    private GraphNode? _operation;
    private int _depth;

    public List<GraphNode> Fields { get; } = [];

    public List<GraphNode> Spreads { get; } = [];

    public List<GraphNode> InlineFragments { get; } = [];

    /// <summary>Each directive, with the others at its place.</summary>
    public List<(GraphNode Directive, List<GraphNode> Siblings)> Directives { get; } = [];

    /// <summary>Each value, with the operation that it is used in, if one is being gone through, and whether its place has a default.</summary>
    public List<(GraphNode Value, GraphNode? Operation, bool HasDefault)> Values { get; } = [];

    public void Walk()
    {
        foreach (var operation in document.List("Operations"))
        {
            _visited.Clear();
            Operation(operation);
        }

        foreach (var fragment in document.List("Fragments"))
        {
            _visited.Clear();
            var type = schema.Type(fragment.Text("TypeCondition"));
            fragment["Definition"] = type;
            Annotate(type, fragment.List("Directives"), "FRAGMENT_DEFINITION");
            Selections(type, fragment.List("SelectionSet"));
        }
    }

    private void Operation(GraphNode operation)
    {
        _operation = operation;
        foreach (var variable in operation.List("VariableDefinitions"))
        {
            var type = schema.TypeOf(variable.Node("Type"));
            variable["Definition"] = type;
            if (variable.Node("DefaultValue") is { } value)
                Value(value, variable.Node("Type"), hasDefault: false);
            Annotate(type, variable.List("Directives"), "VARIABLE_DEFINITION");
        }

        var kind = operation.Text("Operation");
        var root = schema.Root(kind);
        Annotate(root, operation.List("Directives"), kind.ToUpperInvariant());
        Selections(root, operation.List("SelectionSet"));
        _operation = null;
    }

    private void Selections(GraphNode? parent, List<GraphNode> selections)
    {
        if (++_depth > 200)
            throw new GraphFault("the document is nested too deeply");
        foreach (var selection in selections)
        {
            context.Evaluation.Tick();
            selection["ObjectDefinition"] = parent;
            if (selection["Alias"] is not null)
                Field(parent, selection);
            else if (selection["TypeCondition"] is not null)
                Inline(parent, selection);
            else
                Spread(selection);
        }

        _depth--;
    }

    private void Field(GraphNode? parent, GraphNode field)
    {
        var definition = field.Name == "__typename"
            ? new GraphNode { ["Name"] = "__typename", ["Description"] = "", ["Type"] = GraphSchema.Reference("String", isRequired: false) }
            : parent?.Find("Fields", field.Name);
        field["Definition"] = definition;
        var next = schema.TypeOf(definition?.Node("Type"));
        Arguments(field, definition);
        Annotate(next, field.List("Directives"), "FIELD");
        Fields.Add(field);
        Selections(next, field.List("SelectionSet"));
    }

    private void Inline(GraphNode? parent, GraphNode fragment)
    {
        var next = fragment.Text("TypeCondition") is { Length: > 0 } name ? schema.Type(name) : parent;
        InlineFragments.Add(fragment);
        Annotate(next, fragment.List("Directives"), "INLINE_FRAGMENT");
        Selections(next, fragment.List("SelectionSet"));
    }

    private void Spread(GraphNode spread)
    {
        var fragment = document.Find("Fragments", spread.Name);
        spread["Definition"] = fragment;
        Spreads.Add(spread);
        var next = fragment is null ? null : schema.Type(fragment.Text("TypeCondition"));
        Annotate(next, spread.List("Directives"), "FRAGMENT_SPREAD");
        if (fragment is not null && _visited.Add(fragment.Name))
            Selections(next, fragment.List("SelectionSet"));
    }

    private void Annotate(GraphNode? parent, List<GraphNode> directives, string location)
    {
        foreach (var directive in directives)
        {
            var definition = schema.Directive(directive.Name);
            (directive["Definition"], directive["Location"], directive["ParentDefinition"]) = (definition, location, parent);
            Arguments(directive, definition);
            Directives.Add((directive, directives));
        }
    }

    private void Arguments(GraphNode owner, GraphNode? definition)
    {
        foreach (var argument in owner.List("Arguments"))
        {
            var declared = definition?.Find("Arguments", argument.Name);
            Value(argument.Needed("Value"), declared?.Node("Type"), declared?.Node("DefaultValue") is not null);
        }
    }

    private void Value(GraphNode value, GraphNode? type, bool hasDefault)
    {
        context.Evaluation.Tick();
        if (type is not null)
            (value["ExpectedType"], value["Definition"]) = (type, schema.TypeOf(type));
        if (value["Kind"] is (long)GraphValueKind.Variable && _operation?.List("VariableDefinitions").Find(v => v.Text("Variable") == value.Text("Raw")) is { } variable)
        {
            value["VariableDefinition"] = variable;
            variable["Used"] = true;
        }

        Values.Add((value, _operation, hasDefault));
        foreach (var child in value.List("Children"))
        {
            var field = value["Kind"] is (long)GraphValueKind.Object ? value.Node("Definition")?.Find("Fields", child.Name) : null;
            var expected = value["Kind"] is (long)GraphValueKind.Object ? field?.Node("Type") : type?.Node("Elem");
            Value(child.Needed("Value"), expected, field?.Node("DefaultValue") is not null);
        }
    }
}
