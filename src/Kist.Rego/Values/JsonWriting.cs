using System.Text;

namespace Kist.Rego;

/// <summary>Values to JSON, in the form Go's encoder gives: keys sorted, no white space unless asked for.</summary>
static class JsonWriting
{
    public static string Write(RegoValue value, bool escapeHtml = false)
    {
        var text = new StringBuilder();
        new Writer(text, null, "", escapeHtml).Value(value, 0);
        return text.ToString();
    }

    /// <summary>Indented: a line an item, each beginning with <paramref name="prefix"/>.</summary>
    public static string WriteIndented(RegoValue value, string indent, string prefix)
    {
        var text = new StringBuilder();
        new Writer(text, indent, prefix, false).Value(value, 0);
        return text.ToString();
    }

    /// <summary>Appends a JSON string literal.</summary>
    public static void AppendString(StringBuilder text, string value, bool escapeHtml = false)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case '<' or '>' or '&' when escapeHtml:
                case < ' ' or '\u2028' or '\u2029':
                    text.Append("\\u").Append(((int)c).ToString("x4"));
                    break;
                default:
                    if (char.IsSurrogate(c) && !IsPair(value, i))
                        text.Append("\\ufffd");
                    else if (char.IsSurrogate(c))
                        text.Append(c).Append(value[++i]);
                    else
                        text.Append(c);
                    break;
            }
        }

        text.Append('"');
    }

    private static bool IsPair(string value, int i) => i + 1 < value.Length && char.IsSurrogatePair(value[i], value[i + 1]);

    private sealed class Writer(StringBuilder text, string? indent, string prefix, bool escapeHtml)
    {
        public void Value(RegoValue value, int depth)
        {
            switch (value)
            {
                case RegoNull: text.Append("null"); break;
                case RegoBoolean b: text.Append(b.Value ? "true" : "false"); break;
                case RegoNumber n: text.Append(n.ToString()); break;
                case RegoString s: AppendString(text, s.Value, escapeHtml); break;
                case RegoArray a: Items(a.Items, depth); break;
                case RegoSet s: Items(s.Items, depth); break;
                case RegoObject o: Entries(o, depth); break;
            }
        }

        private void Items(ReadOnlySpan<RegoValue> items, int depth)
        {
            TextLimit.Check(text);
            text.Append('[');
            for (var i = 0; i < items.Length; i++)
            {
                if (i > 0)
                    text.Append(',');
                NewLine(depth + 1);
                Value(items[i], depth + 1);
            }

            if (items.Length > 0)
                NewLine(depth);
            text.Append(']');
        }

        private void Entries(RegoObject o, int depth)
        {
            TextLimit.Check(text);
            text.Append('{');
            for (var i = 0; i < o.Count; i++)
            {
                if (i > 0)
                    text.Append(',');
                NewLine(depth + 1);
                AppendString(text, KeyText(o.Keys[i]), escapeHtml);
                text.Append(indent is null ? ":" : ": ");
                Value(o.Values[i], depth + 1);
            }

            if (o.Count > 0)
                NewLine(depth);
            text.Append('}');
        }

        private void NewLine(int depth)
        {
            if (indent is null)
                return;
            text.Append('\n').Append(prefix);
            for (var i = 0; i < depth; i++)
                text.Append(indent);
        }
    }

    /// <summary>JSON's keys are strings: any other value stands as its own JSON text.</summary>
    public static string KeyText(RegoValue key) => key is RegoString s ? s.Value : Write(key);
}
