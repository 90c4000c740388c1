using System.Text;

namespace Kist.Rego;

/// <summary>Values as Rego source text, as <c>print</c>, <c>sprintf("%v")</c> and traces show them.</summary>
static class RegoText
{
    public static string Write(RegoValue value)
    {
        if (value is RegoNumber)
            return value.ToString();
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, RegoValue value)
    {
        if (value.Nesting > 0)
            TextLimit.Check(text);
        switch (value)
        {
            case RegoNull: text.Append("null"); break;
            case RegoBoolean b: text.Append(b.Value ? "true" : "false"); break;
            case RegoNumber n: text.Append(n.ToString()); break;
            case RegoString s: JsonWriting.AppendString(text, s.Value); break;
            case RegoArray a: AppendItems(text, a.Items, '[', ']'); break;
            case RegoSet { Count: 0 }: text.Append("set()"); break;
            case RegoSet s: AppendItems(text, s.Items, '{', '}'); break;
            case RegoObject o: AppendEntries(text, o); break;
        }
    }

    private static void AppendItems(StringBuilder text, ReadOnlySpan<RegoValue> items, char open, char close)
    {
        text.Append(open);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
                text.Append(", ");
            Append(text, items[i]);
        }

        text.Append(close);
    }

    private static void AppendEntries(StringBuilder text, RegoObject o)
    {
        text.Append('{');
        for (var i = 0; i < o.Count; i++)
        {
            if (i > 0)
                text.Append(", ");
            Append(text, o.Keys[i]);
            text.Append(": ");
            Append(text, o.Values[i]);
        }

        text.Append('}');
    }
}
