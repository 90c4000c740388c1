using System.Globalization;

namespace Kist.Rego.Builtins.GraphQl;

/// <summary>Variables and values (sections 5.6 and 5.8).</summary>
sealed partial class GraphRules
{
    private void CheckVariables()
    {
        foreach (var operation in Operations)
        {
            var variables = operation.List("VariableDefinitions");
            Unique(variables, v => v.Text("Variable"), v => $"There can be only one variable named \"${v.Text("Variable")}\".");
            foreach (var variable in variables)
            {
                var type = variable.Needed("Type");
                if (_schema.TypeOf(type) is null)
                    throw GraphFault.At(variable, $"Unknown type \"{GraphSchema.NameOf(type)}\".");
                if (!GraphSchema.IsInput(_schema.TypeOf(type)))
                    throw GraphFault.At(operation, $"Variable \"${variable.Text("Variable")}\" cannot be non-input type \"{GraphSchema.Write(type)}\".");
            }
        }

        foreach (var (value, operation, hasDefault) in _walk.Values.Where(v => v.Operation is not null && v.Value["Kind"] is (long)GraphValueKind.Variable))
            Use(value, operation!, hasDefault);
        foreach (var (operation, unused) in Operations.SelectMany(o => o.List("VariableDefinitions").Where(v => !v.Flag("Used")).Select(v => (o, v))))
            throw GraphFault.At(unused, $"Variable \"${unused.Text("Variable")}\" is never used{(operation.Name.Length > 0 ? $" in operation \"{operation.Name}\"" : "")}.");
    }

    private static void Use(GraphNode value, GraphNode operation, bool hasDefault)
    {
        var name = value.Text("Raw");
        // A fragment's values are shared by the operations that use it: each must declare the variable.
        if (operation.List("VariableDefinitions").Find(v => v.Text("Variable") == name) is not { } variable)
            throw GraphFault.At(value, operation.Name.Length > 0 ? $"Variable \"${name}\" is not defined by operation \"{operation.Name}\"." : $"Variable \"${name}\" is not defined.");
        if (value.Node("ExpectedType") is not { } expected)
            return;
        var type = variable.Needed("Type");
        var isGiven = type.Flag("NonNull") || (variable.Node("DefaultValue") is { } initial && initial["Kind"] is not (long)GraphValueKind.Null) || hasDefault;
        if ((expected.Flag("NonNull") && !isGiven) || !Fits(type, expected, ignoresNull: true))
            throw GraphFault.At(value, $"Variable \"${name}\" of type \"{GraphSchema.Write(type)}\" used in position expecting type \"{GraphSchema.Write(expected)}\".");
    }

    private static bool Fits(GraphNode type, GraphNode expected, bool ignoresNull)
    {
        if (!ignoresNull && expected.Flag("NonNull") && !type.Flag("NonNull"))
            return false;
        return (type.Node("Elem"), expected.Node("Elem")) switch
        {
            (null, null) => type.Text("NamedType") == expected.Text("NamedType"),
            ({ } a, { } b) => Fits(a, b, ignoresNull: false),
            _ => false,
        };
    }

    private void CheckValues()
    {
        foreach (var (value, _, _) in _walk.Values)
        {
            if (value.Node("ExpectedType") is not { } type || value.Node("Definition") is not { } definition)
                continue;
            var kind = (GraphValueKind)value.Kind;
            if (kind == GraphValueKind.Variable)
                continue;
            if (kind == GraphValueKind.Null)
            {
                if (type.Flag("NonNull"))
                    throw Wrong(value, type);
                continue;
            }

            if (kind == GraphValueKind.List)
            {
                if (type.Node("Elem") is null)
                    throw Wrong(value, type);
                continue;
            }

            Single(value, kind, type, definition);
        }
    }

    private static void Single(GraphNode value, GraphValueKind kind, GraphNode type, GraphNode definition)
    {
        switch (definition.Text("Kind"))
        {
            case "ENUM":
                if (kind != GraphValueKind.Enum)
                    throw Wrong(value, type);
                if (definition.Find("EnumValues", value.Text("Raw")) is null)
                    throw GraphFault.At(value, $"Value \"{value.Text("Raw")}\" does not exist in \"{definition.Name}\" enum.");
                break;
            case "INPUT_OBJECT":
                if (kind != GraphValueKind.Object)
                    throw Wrong(value, type);
                InputObject(value, definition);
                break;
            case "SCALAR" when !IsScalar(definition.Name, kind, value.Text("Raw")):
                throw Wrong(value, type);
        }
    }

    private static void InputObject(GraphNode value, GraphNode definition)
    {
        var children = value.List("Children");
        Unique(children, c => c.Name, c => $"There can be only one input field named \"{c.Name}\".");
        foreach (var field in definition.List("Fields").Where(f => IsRequired(f) && value.Find("Children", f.Name) is null))
            throw GraphFault.At(value, $"Field \"{definition.Name}.{field.Name}\" of required type \"{GraphSchema.Write(field.Needed("Type"))}\" was not provided.");
        foreach (var child in children.Where(c => definition.Find("Fields", c.Name) is null))
            throw GraphFault.At(child, $"Field \"{child.Name}\" is not defined by type \"{definition.Name}\".");
    }

    /// <summary>Scalars of the schema's own take every value.</summary>
    private static bool IsScalar(string name, GraphValueKind kind, string raw) => name switch
    {
        "Int" => kind == GraphValueKind.Int && int.TryParse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "Float" => kind is GraphValueKind.Int or GraphValueKind.Float,
        "String" => kind is GraphValueKind.String or GraphValueKind.Block,
        "Boolean" => kind == GraphValueKind.Boolean,
        "ID" => kind is GraphValueKind.Int or GraphValueKind.String or GraphValueKind.Block,
        _ => true,
    };

    private static GraphFault Wrong(GraphNode value, GraphNode type) =>
        GraphFault.At(value, $"Expected value of type \"{GraphSchema.Write(type)}\", found {Shown(value)}.");

    private static string Shown(GraphNode value) => (GraphValueKind)value.Kind switch
    {
        GraphValueKind.String or GraphValueKind.Block => $"\"{value.Text("Raw")}\"",
        GraphValueKind.List => $"[{string.Join(',', value.List("Children").Select(c => Shown(c.Needed("Value"))))}]",
        GraphValueKind.Object => $"{{{string.Join(',', value.List("Children").Select(c => $"{c.Name}:{Shown(c.Needed("Value"))}"))}}}",
        _ => value.Text("Raw"),
    };
}
