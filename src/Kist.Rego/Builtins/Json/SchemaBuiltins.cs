using Kist.Formats;

namespace Kist.Rego.Builtins;

/// <summary>json.verify_schema and json.match_schema. References leave the document for nowhere: no schema is fetched.</summary>
static class SchemaBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("json.verify_schema", 1, Verify);
        table.Add("json.match_schema", 2, Match);
    }

    private static RegoValue? Verify(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (a[0] is not (RegoString or RegoObject))
            return c.FailType(0, "{object, string}", a[0]);
        try
        {
            SchemaChecker.Check(Document(a[0]), c);
            return RegoArray.Of([RegoValue.True, RegoValue.Null]);
        }
        catch (Exception e) when (e is FormatException)
        {
            return RegoArray.Of([RegoValue.False, new RegoString($"jsonschema: {e.Message}")]);
        }
    }

    private static RegoValue? Match(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (a[0] is not (RegoString or RegoObject))
            return c.FailType(0, "{object, string}", a[0]);
        if (a[1] is not (RegoString or RegoObject))
            return c.FailType(1, "{object, string}", a[1]);
        try
        {
            var schema = Document(a[1]);
            SchemaChecker.Check(schema, c);
            var validator = new SchemaValidator(schema, c);
            validator.Validate(schema, Document(a[0]), "(root)", 0);
            return RegoArray.Of([RegoValue.Of(validator.Errors.Count == 0), RegoArray.From(validator.Errors)]);
        }
        catch (Exception e) when (e is FormatException)
        {
            return c.Fail(e.Message);
        }
    }

    /// <summary>A string is JSON text.</summary>
    private static RegoValue Document(RegoValue value)
    {
        if (value is not RegoString s)
            return value;
        try
        {
            return RegoValue.FromJson(s.Value);
        }
        catch (MalformedDataException e)
        {
            throw new FormatException(e.Message, e);
        }
    }
}

/// <summary>Whether a schema is one: its keywords have values of the right kinds.</summary>
static class SchemaChecker
{
    private const int MaxDepth = 200;

    private static readonly string[] Types = ["array", "boolean", "integer", "number", "null", "object", "string"];
    private static readonly string[] One = ["additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"];
    private static readonly string[] Many = ["allOf", "anyOf", "oneOf", "items"];
    private static readonly string[] Named = ["definitions", "$defs", "dependencies", "patternProperties", "properties"];

    public static void Check(RegoValue schema, BuiltinContext c, int depth = 0)
    {
        c.Evaluation.Tick();
        if (schema is RegoBoolean)
            return;
        if (schema is not RegoObject o || depth > MaxDepth)
            throw new FormatException("schema is invalid: it must be an object or a boolean");
        CheckType(o["type"]);
        if (o["required"] is { } required && required is not RegoArray)
            throw new FormatException("required must be of type array");
        if (o["properties"] is { } properties && properties is not RegoObject)
            throw new FormatException("properties must be a valid object");
        if (o["pattern"] is { } pattern)
            RegexCache.Get(pattern is RegoString s ? s.Value : throw new FormatException("pattern must be of type string"));
        foreach (var name in One.Where(n => o[n] is RegoObject))
            Check(o[name]!, c, depth + 1);
        foreach (var (_, item) in Many.SelectMany(n => Evaluation.Items.Of(o[n] as RegoArray)))
            Check(item, c, depth + 1);
        foreach (var (_, item) in Named.SelectMany(n => Evaluation.Items.Of(o[n] as RegoObject)).Where(i => i.Value is not RegoArray))
            Check(item, c, depth + 1);
    }

    private static void CheckType(RegoValue? type)
    {
        if (type is null)
            return;
        if (type is not (RegoString or RegoArray))
            throw new FormatException("type must be of type string or array");
        foreach (var item in type is RegoArray array ? array.Items.ToArray() : [type])
        {
            if (item is not RegoString { Value: var name } || !Types.Contains(name))
                throw new FormatException($"has a primitive type that is NOT VALID -- given: /{(item as RegoString)?.Value}/ Expected valid values are:[{string.Join(' ', Types)}]");
        }
    }
}
