using Kist.Formats;

namespace Kist.Rego.Builtins;

/// <summary>yaml.marshal, unmarshal, is_valid.</summary>
static class YamlBuiltins
{
    public static void Register(Registry table)
    {
        table.Add("yaml.marshal", 1, (c, a) => c.Text(YamlWriting.Write(a[0])));
        table.Add("yaml.unmarshal", 1, Unmarshal);
        table.Add("yaml.is_valid", 1, (c, a) => RegoValue.Of(a[0] is RegoString s && IsValid(c, s.Value)));
    }

    private static RegoValue? Unmarshal(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var text))
            return null;
        c.Evaluation.Spend(text.Length);
        try
        {
            return YamlReading.Read(text);
        }
        catch (MalformedDataException e)
        {
            return c.Fail(e.Message);
        }
    }

    private static bool IsValid(BuiltinContext c, string text)
    {
        c.Evaluation.Spend(text.Length);
        try
        {
            YamlReading.Read(text);
            return true;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }
}
