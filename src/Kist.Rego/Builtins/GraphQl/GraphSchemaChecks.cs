namespace Kist.Rego.Builtins.GraphQl;

/// <summary>Whether a schema is valid (GraphQL, October 2021, section 3): the first fault is thrown.</summary>
sealed class GraphSchemaChecks(GraphSchema schema, BuiltinContext context)
{
    public void Check()
    {
        foreach (var type in schema.Types.OrderBy(t => t.Name, StringComparer.Ordinal))
            Definition(type);
        foreach (var directive in schema.Directives.OrderBy(d => d.Name, StringComparer.Ordinal))
        {
            ReservedName(directive);
            Arguments(directive, directive.Name);
        }
    }

    /// <summary>The directives at a node are declared, for that place, and with the arguments that they take.</summary>
    public void Directives(GraphNode node, string location, string? within = null)
    {
        foreach (var directive in node.List("Directives"))
        {
            if (directive.Name == within)
                throw GraphFault.At(directive, $"Directive {directive.Name} cannot refer to itself.");
            var definition = schema.Directive(directive.Name) ?? throw GraphFault.At(directive, $"Undefined directive {directive.Name}.");
            if (!definition.Names("Locations").Contains(location))
                throw GraphFault.At(directive, $"Directive {directive.Name} is not applicable on {location}.");
            foreach (var argument in directive.List("Arguments").Where(a => definition.Find("Arguments", a.Name) is null))
                throw GraphFault.At(argument, $"Undefined argument {argument.Name} for directive {directive.Name}.");
            foreach (var argument in definition.List("Arguments").Where(a => GraphRules.IsRequired(a) && directive.Find("Arguments", a.Name) is null))
                throw GraphFault.At(directive, $"Argument {argument.Name} for directive {directive.Name} cannot be null.");
        }
    }

    private void Definition(GraphNode type)
    {
        context.Evaluation.Tick();
        var kind = type.Text("Kind");
        var isInput = kind == "INPUT_OBJECT";
        foreach (var field in type.List("Fields"))
        {
            ReservedName(field);
            Known(field.Needed("Type"));
            Arguments(field, within: null);
            Directives(field, isInput ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION");
        }

        Distinct(type);
        foreach (var name in type.Names("Types"))
        {
            if ((schema.Type(name) ?? throw GraphFault.At(type, $"Undefined type \"{name}\".")).Text("Kind") != "OBJECT")
                throw GraphFault.At(type, $"UNION type \"{name}\" must be OBJECT.");
        }

        foreach (var name in type.Names("Interfaces"))
            Implements(type, name);
        switch (kind)
        {
            case "OBJECT" or "INTERFACE":
                NeedsOne(type, "Fields", "fields");
                EachField(type, t => t.Text("Kind") != "INPUT_OBJECT", "SCALAR, OBJECT, INTERFACE, UNION, ENUM");
                break;
            case "ENUM":
                NeedsOne(type, "EnumValues", "unique enum values");
                foreach (var value in type.List("EnumValues"))
                {
                    if (value.Name is "true" or "false" or "null")
                        throw GraphFault.At(type, $"ENUM {type.Name}: non-enum value {value.Name}.");
                    Directives(value, "ENUM_VALUE");
                }

                break;
            case "INPUT_OBJECT":
                NeedsOne(type, "Fields", "input fields");
                EachField(type, GraphSchema.IsInput, "SCALAR, ENUM, INPUT_OBJECT");
                break;
        }

        if (!type.Flag("BuiltIn"))
            ReservedName(type);
        Directives(type, kind);
    }

    private static void NeedsOne(GraphNode type, string list, string what)
    {
        if (type.List(list).Count == 0)
            throw GraphFault.At(type, $"{type.Text("Kind")} {type.Name}: must define one or more {what}.");
    }

    private void EachField(GraphNode type, Func<GraphNode, bool> isAllowed, string kinds)
    {
        if (type.List("Fields").Any(f => schema.TypeOf(f.Node("Type")) is { } t && !isAllowed(t)))
            throw GraphFault.At(type, $"{type.Text("Kind")} {type.Name}: field must be one of {kinds}.");
    }

    private static void Distinct(GraphNode type)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in type.List("Fields").Where(f => !seen.Add(f.Name)))
            throw GraphFault.At(field, $"Field {type.Name}.{field.Name} can only be defined once.");
    }

    private static void ReservedName(GraphNode node)
    {
        if (node.Name.StartsWith("__", StringComparison.Ordinal))
            throw GraphFault.At(node, $"Name \"{node.Name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
    }

    private void Known(GraphNode reference)
    {
        if (schema.TypeOf(reference) is null)
            throw GraphFault.At(reference, $"Undefined type {GraphSchema.NameOf(reference)}.");
    }

    private void Arguments(GraphNode owner, string? within)
    {
        foreach (var argument in owner.List("Arguments"))
        {
            ReservedName(argument);
            Known(argument.Needed("Type"));
            if (!GraphSchema.IsInput(schema.TypeOf(argument.Node("Type"))))
                throw GraphFault.At(argument, $"cannot use {GraphSchema.Write(argument.Needed("Type"))} as argument {argument.Name} because {schema.TypeOf(argument.Node("Type"))!.Text("Kind")} is not a valid input type");
            Directives(argument, "ARGUMENT_DEFINITION", within);
        }
    }

    private void Implements(GraphNode type, string name)
    {
        var face = schema.Type(name) ?? throw GraphFault.At(type, $"Undefined type \"{name}\".");
        if (face.Text("Kind") != "INTERFACE")
            throw GraphFault.At(type, $"{face.Text("Kind")} type \"{name}\" must be INTERFACE.");
        foreach (var wanted in face.List("Fields"))
        {
            var field = type.Find("Fields", wanted.Name)
                ?? throw GraphFault.At(type, $"For {type.Name} to implement {name} it must have a field called {wanted.Name}.");
            if (!IsCovariant(wanted.Needed("Type"), field.Needed("Type")))
                throw GraphFault.At(field, $"For {type.Name} to implement {name} the field {wanted.Name} must have type {GraphSchema.Write(wanted.Needed("Type"))}.");
            foreach (var argument in wanted.List("Arguments"))
            {
                var own = field.Find("Arguments", argument.Name)
                    ?? throw GraphFault.At(field, $"For {type.Name} to implement {name} the field {wanted.Name} must have the same arguments but it is missing {argument.Name}.");
                if (GraphSchema.Write(own.Needed("Type")) != GraphSchema.Write(argument.Needed("Type")))
                    throw GraphFault.At(own, $"For {type.Name} to implement {name} the field {wanted.Name} must have the same arguments but {argument.Name} has the wrong type.");
            }

            foreach (var extra in field.List("Arguments").Where(a => GraphRules.IsRequired(a) && wanted.Find("Arguments", a.Name) is null))
                throw GraphFault.At(extra, $"For {type.Name} to implement {name} any additional arguments on {field.Name} must be optional or have a default value but {extra.Name} is required.");
        }

        foreach (var inherited in face.Names("Interfaces").Where(i => !type.Names("Interfaces").Contains(i)))
            throw GraphFault.At(type, $"Type {type.Name} must implement {inherited} because it is implemented by {name}.");
    }

    private bool IsCovariant(GraphNode wanted, GraphNode actual)
    {
        if (wanted.Flag("NonNull") && !actual.Flag("NonNull"))
            return false;
        if (wanted.Node("Elem") is { } wantedElement)
            return actual.Node("Elem") is { } element && IsCovariant(wantedElement, element);
        if (actual.Node("Elem") is not null)
            return false;
        var (name, own) = (wanted.Text("NamedType"), actual.Text("NamedType"));
        return name == own
            || (schema.Type(own) is { } type && type.Names("Interfaces").Contains(name))
            || (schema.Type(name) is { } union && union.Names("Types").Contains(own));
    }
}
