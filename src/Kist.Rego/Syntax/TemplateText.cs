namespace Kist.Rego.Syntax;

/// <summary>Finds where strings, template strings and the expressions inside them end.</summary>
static class TemplateText
{
    private const int MaxDepth = 100;

    /// <summary>The offset of the brace that closes an expression that begins at <paramref name="i"/>; -1 if there is none.</summary>
    public static int EndOfExpression(ReadOnlySpan<char> text, int i, int end, int nesting = 0)
    {
        for (var depth = 0; i < end; i++)
        {
            switch (text[i])
            {
                case '{':
                    depth++;
                    break;
                case '}' when depth-- == 0:
                    return i;
                case '"' or '`':
                    i = EndOfString(text, i, end, text[i - 1] == '$', nesting + 1);
                    if (i < 0)
                        return -1;
                    break;
            }
        }

        return -1;
    }

    /// <summary>The offset of the quote that closes the string opened at <paramref name="i"/>; -1 if there is none.</summary>
    public static int EndOfString(ReadOnlySpan<char> text, int i, int end, bool isTemplate, int nesting = 0)
    {
        var quote = text[i];
        if (nesting > MaxDepth)
            return -1;
        for (i++; i < end; i++)
        {
            var c = text[i];
            if (c == quote)
                return i;
            if (c == '\n' && quote == '"')
                return -1;
            if (c == '\\' && (quote == '"' || isTemplate))
                i++;
            else if (c == '{' && isTemplate && (i = EndOfExpression(text, i + 1, end, nesting)) < 0)
                return -1;
        }

        return -1;
    }
}
