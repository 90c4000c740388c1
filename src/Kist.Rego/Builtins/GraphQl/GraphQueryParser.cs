namespace Kist.Rego.Builtins.GraphQl;

/// <summary>Parses executable documents: operations and fragments.</summary>
sealed class GraphQueryParser(string text, BuiltinContext context) : GraphParser(text, context)
{
    public GraphNode Document()
    {
        var document = new GraphNode();
        while (!IsAtEnd)
        {
            if (Peek.Is("{") || Peek.IsName("query") || Peek.IsName("mutation") || Peek.IsName("subscription"))
                document.OwnList("Operations").Add(Operation());
            else if (Peek.IsName("fragment"))
                document.OwnList("Fragments").Add(Fragment());
            else
                throw Unexpected(Peek);
        }

        return document;
    }

    private GraphNode Operation()
    {
        var node = NewNode();
        (node["Name"], node["Operation"]) = ("", "query");
        if (!Peek.Is("{"))
        {
            node["Operation"] = Name();
            if (Peek.Kind == GraphTokenKind.Name)
                node["Name"] = Next().Text;
            node["VariableDefinitions"] = Many("(", ")", Variable);
            node["Directives"] = Directives(isConstant: false);
        }

        node["SelectionSet"] = RequiredSelections();
        return node;
    }

    private GraphNode Fragment()
    {
        var node = NewNode();
        ExpectKeyword("fragment");
        node["Name"] = FragmentName();
        node["VariableDefinition"] = Many("(", ")", Variable);
        ExpectKeyword("on");
        node["TypeCondition"] = Name();
        node["Directives"] = Directives(isConstant: false);
        node["SelectionSet"] = RequiredSelections();
        return node;
    }

    private string FragmentName() => Peek.IsName("on") ? throw Unexpected(Peek) : Name();

    private GraphNode Variable()
    {
        var node = NewNode();
        Expect("$");
        node["Variable"] = Name();
        Expect(":");
        node["Type"] = TypeReference();
        if (Skip("="))
            node["DefaultValue"] = Value(isConstant: true);
        node["Directives"] = Directives(isConstant: false);
        node["Used"] = false;
        return node;
    }

    private List<GraphNode> RequiredSelections() => Peek.Is("{")
        ? Some("{", "}", Selection)
        : throw Fault(Peek, $"Expected {{, found {GraphToken.NameOf(Peek)}");

    private GraphNode Selection() => Peek.Is("...") ? Spread() : Field();

    private GraphNode Field()
    {
        var node = NewNode();
        var alias = Name();
        node["Alias"] = alias;
        node["Name"] = Skip(":") ? Name() : alias;
        node["Arguments"] = Arguments(isConstant: false);
        node["Directives"] = Directives(isConstant: false);
        node["SelectionSet"] = Some("{", "}", Selection);
        return node;
    }

    private GraphNode Spread()
    {
        var node = NewNode();
        Expect("...");
        if (Peek.Kind == GraphTokenKind.Name && !Peek.IsName("on"))
        {
            node["Name"] = Name();
            node["Directives"] = Directives(isConstant: false);
            return node;
        }

        node["TypeCondition"] = "";
        if (Peek.IsName("on"))
        {
            Next();
            node["TypeCondition"] = Name();
        }

        node["Directives"] = Directives(isConstant: false);
        node["SelectionSet"] = RequiredSelections();
        return node;
    }
}
