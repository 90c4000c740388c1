using System.Globalization;

namespace Kist.Rego.Builtins;

/// <summary>Validates a document by a JSON schema (drafts 4 to 7), and words failures as OPA's validator does.</summary>
sealed class SchemaValidator(RegoValue root, BuiltinContext context)
{
    private const int MaxDepth = 200;

    public List<RegoValue> Errors { get; } = [];

    public void Validate(RegoValue schema, RegoValue value, string field, int depth)
    {
        context.Evaluation.Tick();
        if (depth > MaxDepth)
            throw new FormatException("the schema is nested too deeply");
        if (schema is RegoBoolean { Value: false })
            Fail("false", field, "False always fails validation");
        if (schema is not RegoObject o)
            return;
        if (o["$ref"] is RegoString reference)
        {
            Validate(Resolve(reference.Value), value, field, depth + 1);
            return;
        }

        if (!CheckType(o["type"], value, field))
            return;
        CheckValue(o, value, field);
        CheckCombinations(o, value, field, depth);
        switch (value)
        {
            case RegoNumber n: CheckNumber(o, n, field); break;
            case RegoString s: CheckString(o, s.Value, field); break;
            case RegoArray array: CheckArray(o, array, field, depth); break;
            case RegoObject document: CheckObject(o, document, field, depth); break;
        }
    }

    private RegoValue Resolve(string reference)
    {
        if (!reference.StartsWith('#'))
            throw new FormatException($"the schema refers to {reference}, outside itself");
        RegoValue? target = root;
        foreach (var key in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(key).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            target = target is RegoArray array && int.TryParse(name, CultureInfo.InvariantCulture, out var i) && i < array.Count && i >= 0 ? array[i] : target?[name];
        }

        return target ?? throw new FormatException($"the schema has no {reference}");
    }

    private bool CheckType(RegoValue? type, RegoValue value, string field)
    {
        if (type is null)
            return true;
        var names = type is RegoArray array ? array.Items.ToArray().OfType<RegoString>().Select(s => s.Value).ToList() : [((RegoString)type).Value];
        var actual = TypeOf(value);
        if (names.Contains(actual) || (actual == "integer" && names.Contains("number")))
            return true;
        Fail("invalid_type", field, $"Invalid type. Expected: {string.Join('/', names)}, given: {actual}");
        return false;
    }

    private static string TypeOf(RegoValue value) => value is RegoNumber n ? n.IsInteger ? "integer" : "number" : value.Type.Name();

    private void CheckValue(RegoObject o, RegoValue value, string field)
    {
        if (o["enum"] is RegoArray allowed && !allowed.Items.Contains(value))
            Fail("enum", field, $"{Name(field)} must be one of the following: {string.Join(", ", allowed.Items.ToArray().Select(v => v.ToJson()))}");
        if (o["const"] is { } constant && !constant.Equals(value))
            Fail("const", field, $"{Name(field)} does not match: {constant.ToJson()}");
    }

    private void CheckCombinations(RegoObject o, RegoValue value, string field, int depth)
    {
        foreach (var (_, schema) in Evaluation.Items.Of(o["allOf"] as RegoArray))
        {
            if (!Holds(schema, value, depth))
            {
                Validate(schema, value, field, depth + 1);
                Fail("number_all_of", field, "Must validate all the schemas (allOf)");
                break;
            }
        }

        if (o["anyOf"] is RegoArray any && !any.Items.ToArray().Any(s => Holds(s, value, depth)))
            Fail("number_any_of", field, "Must validate at least one schema (anyOf)");
        if (o["oneOf"] is RegoArray one && one.Items.ToArray().Count(s => Holds(s, value, depth)) != 1)
            Fail("number_one_of", field, "Must validate one and only one schema (oneOf)");
        if (o["not"] is { } not && Holds(not, value, depth))
            Fail("number_not", field, "Must not validate the schema (not)");
        if (o["if"] is { } condition && o[Holds(condition, value, depth) ? "then" : "else"] is { } branch)
            Validate(branch, value, field, depth + 1);
    }

    private bool Holds(RegoValue schema, RegoValue value, int depth)
    {
        var inner = new SchemaValidator(root, context);
        inner.Validate(schema, value, "(root)", depth + 1);
        return inner.Errors.Count == 0;
    }

    private void CheckNumber(RegoObject o, RegoNumber value, string field)
    {
        if (o["multipleOf"] is RegoNumber m && !m.IsZero && Arithmetic.Divide(value, m) is { IsInteger: false })
            Fail("multiple_of", field, $"Must be a multiple of {m}");
        var (exclusiveMinimum, exclusiveMaximum) = (o["exclusiveMinimum"], o["exclusiveMaximum"]);
        if (o["minimum"] is RegoNumber min)
        {
            if (exclusiveMinimum is { IsTrue: true } ? value <= min : value < min)
                Fail("number_gte", field, $"Must be greater than or equal to {min}");
        }

        if (o["maximum"] is RegoNumber max)
        {
            if (exclusiveMaximum is { IsTrue: true } ? value >= max : value > max)
                Fail("number_lte", field, $"Must be less than or equal to {max}");
        }

        if (exclusiveMinimum is RegoNumber above && value <= above)
            Fail("number_gt", field, $"Must be greater than {above}");
        if (exclusiveMaximum is RegoNumber below && value >= below)
            Fail("number_lt", field, $"Must be less than {below}");
    }

    private void CheckString(RegoObject o, string value, string field)
    {
        var length = CodePoints.Count(value);
        if (o["minLength"] is RegoNumber min && RegoNumber.FromInt64(length) < min)
            Fail("string_gte", field, $"String length must be greater than or equal to {min}");
        if (o["maxLength"] is RegoNumber max && RegoNumber.FromInt64(length) > max)
            Fail("string_lte", field, $"String length must be less than or equal to {max}");
        if (o["pattern"] is RegoString pattern && !RegexCache.Get(pattern.Value).IsMatch(value))
            Fail("pattern", field, $"Does not match pattern '{pattern.Value}'");
    }

    private void CheckArray(RegoObject o, RegoArray value, string field, int depth)
    {
        for (var i = 0; i < value.Count; i++)
        {
            var schema = o["items"] is RegoArray tuple ? i < tuple.Count ? tuple[i] : o["additionalItems"] : o["items"];
            if (schema is RegoBoolean { Value: false } && o["items"] is RegoArray)
            {
                Fail("array_no_additional_items", field, "No additional items allowed on array");
                break;
            }

            if (schema is not null)
                Validate(schema, value[i], Child(field, i.ToString(CultureInfo.InvariantCulture)), depth + 1);
        }

        if (o["minItems"] is RegoNumber min && RegoNumber.FromInt64(value.Count) < min)
            Fail("array_min_items", field, $"Array must have at least {min} items");
        if (o["maxItems"] is RegoNumber max && RegoNumber.FromInt64(value.Count) > max)
            Fail("array_max_items", field, $"Array must have at most {max} items");
        if (o["uniqueItems"] is { IsTrue: true } && value.Items.ToArray().Distinct().Count() != value.Count)
            Fail("unique", field, "array items[0,1] must be unique");
        if (o["contains"] is { } contained && !value.Items.ToArray().Any(v => Holds(contained, v, depth)))
            Fail("contains", field, "At least one of the items must match");
    }

    private void CheckObject(RegoObject o, RegoObject value, string field, int depth)
    {
        foreach (var (_, name) in Evaluation.Items.Of(o["required"] as RegoArray))
        {
            if (name is RegoString key && !value.Contains(key))
                Fail("required", field, $"{key.Value} is required");
        }

        if (o["minProperties"] is RegoNumber min && RegoNumber.FromInt64(value.Count) < min)
            Fail("array_min_properties", field, $"Must have at least {min} properties");
        if (o["maxProperties"] is RegoNumber max && RegoNumber.FromInt64(value.Count) > max)
            Fail("array_max_properties", field, $"Must have at most {max} properties");
        for (var i = 0; i < value.Count; i++)
            CheckProperty(o, ((RegoString)value.Keys[i]).Value, value.Values[i], field, depth);
        foreach (var (name, dependency) in Evaluation.Items.Of(o["dependencies"] as RegoObject))
        {
            if (!value.Contains(name))
                continue;
            if (dependency is RegoArray names)
            {
                foreach (var missing in names.Items.ToArray().Where(n => !value.Contains(n)))
                    Fail("missing_dependency", field, $"Has a dependency on {((RegoString)missing).Value}");
            }
            else
            {
                Validate(dependency, value, field, depth + 1);
            }
        }
    }

    private void CheckProperty(RegoObject o, string name, RegoValue value, string field, int depth)
    {
        var known = false;
        if (o["propertyNames"] is { } names && !Holds(names, new RegoString(name), depth))
            Fail("invalid_property_name", field, $"Property name of \"{name}\" does not match");
        if (o["properties"]?[name] is { } schema)
        {
            known = true;
            Validate(schema, value, Child(field, name), depth + 1);
        }

        foreach (var (pattern, patternSchema) in Evaluation.Items.Of(o["patternProperties"] as RegoObject))
        {
            if (!RegexCache.Get(((RegoString)pattern).Value).IsMatch(name))
                continue;
            known = true;
            Validate(patternSchema, value, Child(field, name), depth + 1);
        }

        if (known || o["additionalProperties"] is not { } additional)
            return;
        if (additional is RegoBoolean { Value: false })
            Fail("additional_property_not_allowed", field, $"Additional property {name} is not allowed");
        else
            Validate(additional, value, Child(field, name), depth + 1);
    }

    private static string Child(string field, string name) => field == "(root)" ? name : $"{field}.{name}";

    private static string Name(string field) => field;

    private void Fail(string type, string field, string description) => Errors.Add(RegoValue.ObjectOf(
        ("desc", RegoValue.Of(description)),
        ("error", RegoValue.Of($"{field}: {description}")),
        ("field", RegoValue.Of(field)),
        ("type", RegoValue.Of(type))));
}
