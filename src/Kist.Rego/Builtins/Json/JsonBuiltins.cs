using Kist.Formats;

namespace Kist.Rego.Builtins;

/// <summary>json.marshal, unmarshal, is_valid, filter, remove, patch.</summary>
static class JsonBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("json.marshal", 1, (c, a) => c.Text(JsonWriting.Write(a[0], escapeHtml: true)));
        table.Add("json.marshal_with_options", 2, MarshalWithOptions);
        table.Add("json.unmarshal", 1, (c, a) => c.String(a, 0, out var s) ? Parse(c, s) : null);
        table.Add("json.is_valid", 1, (_, a) => RegoValue.Of(a[0] is RegoString s && IsValid(s.Value)));
        table.Add("json.filter", 2, (c, a) => c.Object(a, 0, out var o) && JsonPaths.Read(c, a, 1) is { } paths ? JsonPaths.Filter(o, paths.FindAll(p => p.Length > 0), 0) : null);
        table.Add("json.remove", 2, (c, a) => c.Object(a, 0, out var o) && JsonPaths.Read(c, a, 1) is { } paths ? JsonPaths.Remove(o, paths, 0) : null);
        table.Add("json.patch", 2, JsonPatch.Apply);
    }

    private static RegoValue? Parse(BuiltinContext c, string text)
    {
        c.Evaluation.Spend(text.Length / 8);
        try
        {
            return RegoValue.FromJson(text);
        }
        catch (MalformedDataException e)
        {
            return c.Fail(e.Message);
        }
    }

    internal static bool IsValid(string text)
    {
        try
        {
            RegoValue.FromJson(text);
            return true;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    private static RegoValue? MarshalWithOptions(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 1, out var options))
            return null;
        var (indent, prefix, pretty, prettyGiven) = ("\t", "", false, false);
        for (var i = 0; i < options.Count; i++)
        {
            switch ((options.Keys[i] as RegoString)?.Value, options.Values[i])
            {
                case ("pretty", RegoBoolean b):
                    (pretty, prettyGiven) = (b.Value, true);
                    break;
                case ("indent", RegoString s):
                    indent = s.Value;
                    pretty |= !prettyGiven;
                    break;
                case ("prefix", RegoString s):
                    prefix = s.Value;
                    pretty |= !prettyGiven;
                    break;
                case ("pretty" or "indent" or "prefix", _):
                    return c.FailOperand(1, $"has a value of the wrong type for key {options.Keys[i]}");
                default:
                    return c.FailOperand(1, $"object contained unknown key {options.Keys[i]}");
            }
        }

        if (!pretty)
            return c.Text(JsonWriting.Write(a[0], escapeHtml: true));
        if (indent.Length > 64 || prefix.Length > 64)
            return c.FailOperand(1, "indent and prefix must be short");
        return c.Text(JsonWriting.WriteIndented(a[0], indent, prefix));
    }
}
