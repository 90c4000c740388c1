using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Values as YAML in block style: keys sorted, sequences at the indentation of their key.</summary>
static class YamlWriting
{
    public static string Write(RegoValue value)
    {
        var text = new StringBuilder();
        if (IsInline(value))
            text.Append(Inline(value)).Append('\n');
        else
            Block(text, value, 0);
        return text.ToString();
    }

    private static void Block(StringBuilder text, RegoValue value, int indent)
    {
        TextLimit.Check(text);
        if (value is RegoObject o)
        {
            for (var i = 0; i < o.Count; i++)
            {
                if (i > 0 || text.Length == 0 || text[^1] == '\n')
                    text.Append(' ', indent);
                text.Append(Scalar(JsonWriting.KeyText(o.Keys[i]))).Append(':');
                Item(text, o.Values[i], o.Values[i] is RegoObject ? indent + 2 : indent);
            }

            return;
        }

        foreach (var (_, item) in Evaluation.Items.Of(value))
        {
            if (text.Length == 0 || text[^1] == '\n')
                text.Append(' ', indent);
            text.Append('-');
            if (IsInline(item))
            {
                text.Append(' ').Append(Inline(item)).Append('\n');
            }
            else
            {
                text.Append(' ');
                Block(text, item, indent + 2);
            }
        }
    }

    private static void Item(StringBuilder text, RegoValue value, int indent)
    {
        if (IsInline(value))
        {
            text.Append(' ').Append(Inline(value)).Append('\n');
            return;
        }

        text.Append('\n');
        Block(text, value, indent);
    }

    private static bool IsInline(RegoValue value) => value switch
    {
        RegoObject o => o.Count == 0,
        RegoArray a => a.Count == 0,
        RegoSet s => s.Count == 0,
        _ => true,
    };

    private static string Inline(RegoValue value) => value switch
    {
        RegoObject => "{}",
        RegoArray or RegoSet => "[]",
        RegoString s => Scalar(s.Value),
        _ => JsonWriting.Write(value),
    };

    /// <summary>Plain where that reads back as the same string; otherwise in quotes.</summary>
    private static string Scalar(string text)
    {
        var special = text.Length == 0 || YamlScalars.Plain(text) is not RegoString ||
            "-?:,[]{}#&*!|>'\"%@` =<".Contains(text[0]) || text.EndsWith(' ') || text.EndsWith(':') ||
            text.Contains(": ", StringComparison.Ordinal) || text.Contains(" #", StringComparison.Ordinal);
        if (text.Any(c => c < ' ' || c == '\x7f'))
        {
            var quoted = new StringBuilder();
            JsonWriting.AppendString(quoted, text);
            return quoted.ToString();
        }

        if (!special)
            return text;
        return YamlScalars.Plain(text.Length == 0 ? "x" : text) is RegoString ? $"'{text.Replace("'", "''", StringComparison.Ordinal)}'" : $"\"{text}\"";
    }
}
