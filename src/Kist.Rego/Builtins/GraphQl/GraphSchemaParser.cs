namespace Kist.Rego.Builtins.GraphQl;

/// <summary>Parses documents of the type system: schemas, types, directives, and their extensions.</summary>
sealed class GraphSchemaParser(string text, BuiltinContext context, bool isBuiltIn = false) : GraphParser(text, context)
{
    private static readonly string[] Locations =
    [
        "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
        "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE",
        "INPUT_OBJECT", "INPUT_FIELD_DEFINITION",
    ];

    public GraphNode Document()
    {
        var document = new GraphNode();
        while (!IsAtEnd)
        {
            var start = Peek;
            var description = Description();
            if (Peek.Kind != GraphTokenKind.Name)
                throw Unexpected(Peek);
            switch (Peek.Text)
            {
                case "schema":
                    document.OwnList("Schema").Add(Schema(description, isExtension: false));
                    break;
                case "directive":
                    document.OwnList("Directives").Add(DirectiveDefinition(description));
                    break;
                case "extend":
                    if (description.Length > 0)
                        throw Unexpected(start);
                    Next();
                    if (Peek.IsName("schema"))
                        document.OwnList("SchemaExtension").Add(Schema("", isExtension: true));
                    else
                        document.OwnList("Extensions").Add(Definition("", isExtension: true));
                    break;
                default:
                    document.OwnList("Definitions").Add(Definition(description, isExtension: false));
                    break;
            }
        }

        return document;
    }

    private string Description() => Peek.Kind is GraphTokenKind.String or GraphTokenKind.BlockString ? Next().Text : "";

    private GraphNode Schema(string description, bool isExtension)
    {
        var node = NewNode();
        ExpectKeyword("schema");
        node["Description"] = description;
        node["Directives"] = Directives(isConstant: true);
        node["OperationTypes"] = Some("{", "}", OperationType);
        if (isExtension && node.List("Directives").Count + node.List("OperationTypes").Count == 0)
            throw Unexpected(Peek);
        return node;
    }

    private GraphNode OperationType()
    {
        var node = NewNode();
        if (!Peek.IsName("query") && !Peek.IsName("mutation") && !Peek.IsName("subscription"))
            throw Unexpected(Peek);
        node["Operation"] = Next().Text;
        Expect(":");
        node["Type"] = Name();
        return node;
    }

    /// <summary>A type, or an extension of one; the latter must add something.</summary>
    private GraphNode Definition(string description, bool isExtension)
    {
        var node = NewNode();
        (node["Description"], node["BuiltIn"]) = (description, isBuiltIn);
        var kind = Peek.Kind == GraphTokenKind.Name ? Peek.Text : "";
        node["Kind"] = kind switch
        {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => throw Unexpected(Peek),
        };
        Next();
        node["Name"] = Name();
        if (kind is "type" or "interface")
            node["Interfaces"] = Interfaces();
        node["Directives"] = Directives(isConstant: true);
        switch (kind)
        {
            case "type" or "interface":
                node["Fields"] = Some("{", "}", FieldDefinition);
                break;
            case "union":
                node["Types"] = UnionTypes();
                break;
            case "enum":
                node["EnumValues"] = Some("{", "}", EnumValue);
                break;
            case "input":
                node["Fields"] = Some("{", "}", InputValue);
                break;
        }

        string[] parts = ["Directives", "Fields", "EnumValues"];
        if (isExtension && parts.Sum(p => node.List(p).Count) + node.Names("Interfaces").Count + node.Names("Types").Count == 0)
            throw Unexpected(Peek);
        return node;
    }

    private List<string> Interfaces()
    {
        var names = new List<string>();
        if (!Peek.IsName("implements"))
            return names;
        Next();
        Skip("&");
        do
            names.Add(Name());
        while (Skip("&"));
        return names;
    }

    private List<string> UnionTypes()
    {
        var names = new List<string>();
        if (!Skip("="))
            return names;
        Skip("|");
        do
            names.Add(Name());
        while (Skip("|"));
        return names;
    }

    private GraphNode FieldDefinition()
    {
        var node = NewNode();
        node["Description"] = Description();
        node["Name"] = Name();
        node["Arguments"] = Some("(", ")", InputValue);
        Expect(":");
        node["Type"] = TypeReference();
        node["Directives"] = Directives(isConstant: true);
        return node;
    }

    private GraphNode InputValue()
    {
        var node = NewNode();
        node["Description"] = Description();
        node["Name"] = Name();
        Expect(":");
        node["Type"] = TypeReference();
        if (Skip("="))
            node["DefaultValue"] = Value(isConstant: true);
        node["Directives"] = Directives(isConstant: true);
        return node;
    }

    private GraphNode EnumValue()
    {
        var node = NewNode();
        node["Description"] = Description();
        node["Name"] = Name();
        node["Directives"] = Directives(isConstant: true);
        return node;
    }

    private GraphNode DirectiveDefinition(string description)
    {
        var node = NewNode();
        ExpectKeyword("directive");
        Expect("@");
        node["Description"] = description;
        node["Name"] = Name();
        node["Arguments"] = Some("(", ")", InputValue);
        node["IsRepeatable"] = Peek.IsName("repeatable");
        if (node.Flag("IsRepeatable"))
            Next();
        ExpectKeyword("on");
        Skip("|");
        var locations = new List<string>();
        do
        {
            var token = Peek;
            var location = Name();
            locations.Add(Locations.Contains(location) ? location : throw Unexpected(token));
        }
        while (Skip("|"));
        node["Locations"] = locations;
        return node;
    }
}
