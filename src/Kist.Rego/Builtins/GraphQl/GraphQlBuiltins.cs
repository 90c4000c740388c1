namespace Kist.Rego.Builtins.GraphQl;

/// <summary>graphql.*: documents and schemas are texts, or the trees that the parsing functions give.</summary>
static class GraphQlBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("graphql.parse", 2, (c, a) => Parse(c, a, out var fault) ?? (fault is null ? null : c.Fail(fault)));
        table.Add("graphql.parse_and_verify", 2, (c, a) => ParseAndVerify(c, a));
        table.Add("graphql.parse_query", 1, (c, a) => ParseOnly(c, a, isSchema: false));
        table.Add("graphql.parse_schema", 1, (c, a) => ParseOnly(c, a, isSchema: true));
        table.Add("graphql.is_valid", 2, IsValid);
        table.Add("graphql.schema_is_valid", 1, SchemaIsValid);
    }

    private static RegoValue? Parse(BuiltinContext c, ReadOnlySpan<RegoValue> a, out string? fault)
    {
        fault = null;
        for (var i = 0; i < 2; i++)
        {
            if (a[i] is not (RegoString or RegoObject))
                return c.FailType(i, "{string, object}", a[i]);
        }

        try
        {
            var (query, schema) = Checked(c, a[0], a[1]);
            return RegoValue.ArrayOf(query.ToValue(c), schema.ToValue(c));
        }
        catch (GraphFault e)
        {
            fault = e.Message;
            return null;
        }
    }

    private static RegoValue? ParseAndVerify(BuiltinContext c, ReadOnlySpan<RegoValue> a) => Parse(c, a, out _) is RegoArray parsed
        ? RegoValue.ArrayOf(RegoValue.True, parsed.Items[0], parsed.Items[1])
        : RegoValue.ArrayOf(RegoValue.False, RegoObject.Empty, RegoObject.Empty);

    private static RegoValue? ParseOnly(BuiltinContext c, ReadOnlySpan<RegoValue> a, bool isSchema) =>
        c.String(a, 0, out _) ? Document(c, a[0], isSchema).ToValue(c) : null;

    private static RegoValue IsValid(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        try
        {
            Checked(c, a[0], a[1]);
            return RegoValue.True;
        }
        catch (GraphFault)
        {
            return RegoValue.False;
        }
    }

    private static RegoValue SchemaIsValid(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        try
        {
            GraphSchema.Load(Document(c, a[0], isSchema: true), c);
            return RegoValue.True;
        }
        catch (GraphFault)
        {
            return RegoValue.False;
        }
    }

    /// <summary>Both documents, after the query has been checked against the schema.</summary>
    private static (GraphNode Query, GraphNode Schema) Checked(BuiltinContext c, RegoValue query, RegoValue schema)
    {
        var document = Document(c, query, isSchema: false);
        var declared = Document(c, schema, isSchema: true);
        var loaded = Located("GraphQL string", () => GraphSchema.Load(declared, c));
        Located("GraphQL query string", () =>
        {
            GraphRules.Check(loaded, document, c);
            return document;
        });
        return (document, declared);
    }

    private static GraphNode Document(BuiltinContext c, RegoValue value, bool isSchema) => value switch
    {
        RegoString s => Located("GraphQL string", () => isSchema ? new GraphSchemaParser(s.Value, c).Document() : new GraphQueryParser(s.Value, c).Document()),
        RegoObject o => GraphNode.FromValue(o, c),
        _ => throw new GraphFault("neither a string nor an object"),
    };

    /// <summary>Says in a fault's message where it is.</summary>
    private static T Located<T>(string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (GraphFault e)
        {
            var place = e.Line > 0 ? $" at location {e.Line}:{e.Column}" : "";
            throw new GraphFault($"{e.Message.TrimEnd('.')} in {what}{place}");
        }
    }
}
