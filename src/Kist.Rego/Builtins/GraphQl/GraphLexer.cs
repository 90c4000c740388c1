using System.Globalization;
using System.Text;

namespace Kist.Rego.Builtins.GraphQl;

/// <summary>The kinds of tokens; the names that messages give them are <see cref="GraphToken.NameOf"/>.</summary>
enum GraphTokenKind
{
    End,
    Invalid,
    Punctuator,
    Name,
    Int,
    Float,
    String,
    BlockString,
}

/// <summary>A token. Punctuators have their text as <see cref="Text"/>.</summary>
readonly record struct GraphToken(GraphTokenKind Kind, string Text, int Line, int Column)
{
    public bool Is(string punctuator) => Kind == GraphTokenKind.Punctuator && Text == punctuator;

    public bool IsName(string name) => Kind == GraphTokenKind.Name && Text == name;

    public static string NameOf(GraphToken t) => t.Kind switch
    {
        GraphTokenKind.End => "<EOF>",
        GraphTokenKind.Invalid => "<Invalid>",
        GraphTokenKind.Punctuator => t.Text,
        _ => t.Kind.ToString(),
    };

    public override string ToString() =>
        Kind is GraphTokenKind.Punctuator or GraphTokenKind.End || Text.Length == 0 ? NameOf(this) : $"{NameOf(this)} \"{Text}\"";
}

/// <summary>Reads tokens of GraphQL (October 2021, section 2.1). Columns count code points.</summary>
sealed class GraphLexer(string text)
{
    private int _at;
    private int _line = 1;
    private int _lineStart;

    public GraphToken Next()
    {
        SkipIgnored();
        var start = _at;
        if (_at >= text.Length)
            return Make(GraphTokenKind.End, "", start);
        var c = text[_at];
        if (text.AsSpan(_at).StartsWith("..."))
            return Punctuator(3);
        if ("!$():=@[]{|}&".Contains(c))
            return Punctuator(1);
        if (c == '_' || char.IsAsciiLetter(c))
        {
            while (_at < text.Length && (text[_at] == '_' || char.IsAsciiLetterOrDigit(text[_at])))
                _at++;
            return Make(GraphTokenKind.Name, text[start.._at], start);
        }

        if (c == '-' || char.IsAsciiDigit(c))
            return Number();
        if (text.AsSpan(_at).StartsWith("\"\"\""))
            return BlockString();
        return c == '"' ? String() : Invalid($"Cannot parse the unexpected character \"{c}\".", start);
    }

    private void SkipIgnored()
    {
        while (_at < text.Length)
        {
            var c = text[_at];
            if (c is '\n' or '\r')
                NewLine();
            else if (c is ' ' or '\t' or ',' or '\uFEFF')
                _at++;
            else if (c == '#')
                _at = text.AsSpan(_at).IndexOfAny('\n', '\r') is var end and >= 0 ? _at + end : text.Length;
            else
                return;
        }
    }

    private void NewLine()
    {
        _at += text.AsSpan(_at).StartsWith("\r\n") ? 2 : 1;
        _line++;
        _lineStart = _at;
    }

    private GraphToken Punctuator(int length)
    {
        _at += length;
        return Make(GraphTokenKind.Punctuator, text[(_at - length).._at], _at - length);
    }

    private GraphToken Number()
    {
        var start = _at;
        var isFloat = false;
        if (text[_at] == '-')
            _at++;
        if (!Digits())
            return Invalid("Invalid number, expected digit", _at);
        if (_at < text.Length && text[_at] == '.')
        {
            isFloat = true;
            _at++;
            if (!Digits())
                return Invalid("Invalid number, expected digit", _at);
        }

        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            isFloat = true;
            _at += _at + 1 < text.Length && text[_at + 1] is '+' or '-' ? 2 : 1;
            if (!Digits())
                return Invalid("Invalid number, expected digit", _at);
        }

        return Make(isFloat ? GraphTokenKind.Float : GraphTokenKind.Int, text[start.._at], start);
    }

    /// <summary>One digit or more, without a leading zero.</summary>
    private bool Digits()
    {
        var start = _at;
        while (_at < text.Length && char.IsAsciiDigit(text[_at]))
            _at++;
        return _at > start;
    }

    /// <summary>The place of a string is that of its first character after the quotes, as in the parser that OPA uses.</summary>
    private GraphToken String()
    {
        var start = ++_at;
        var value = new StringBuilder();
        while (_at < text.Length && text[_at] is not ('\n' or '\r'))
        {
            var c = text[_at++];
            if (c == '"')
                return Make(GraphTokenKind.String, value.ToString(), start);
            if (c < ' ' && c != '\t')
                return Invalid("Invalid character within String", _at - 1);
            if (c != '\\')
                value.Append(c);
            else if (!Escape(value))
                return Invalid("Invalid character escape sequence", _at);
        }

        return Invalid("Unterminated string.", _at);
    }

    private bool Escape(StringBuilder value)
    {
        if (_at >= text.Length)
            return false;
        var c = text[_at++];
        if (c == 'u')
        {
            if (_at + 4 > text.Length || !ushort.TryParse(text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
                return false;
            _at += 4;
            value.Append((char)unit);
            return true;
        }

        var i = "\"\\/bfnrt".IndexOf(c, StringComparison.Ordinal);
        if (i < 0)
            return false;
        value.Append("\"\\/\b\f\n\r\t"[i]);
        return true;
    }

    private GraphToken BlockString()
    {
        _at += 3;
        var (start, line, lineStart) = (_at, _line, _lineStart);
        var value = new StringBuilder();
        while (_at < text.Length)
        {
            var rest = text.AsSpan(_at);
            if (rest.StartsWith("\"\"\""))
            {
                _at += 3;
                return new GraphToken(GraphTokenKind.BlockString, Dedent(value.ToString()), line, Column(start, lineStart));
            }

            if (rest.StartsWith("\\\"\"\""))
            {
                _at += 4;
                value.Append("\"\"\"");
            }
            else if (rest[0] is '\n' or '\r')
            {
                NewLine();
                value.Append('\n');
            }
            else
            {
                value.Append(rest[0]);
                _at++;
            }
        }

        return new GraphToken(GraphTokenKind.Invalid, "", line, Column(_at, lineStart));
    }

    /// <summary>Takes away the common indentation and blank lines at both ends (section 2.9.4).</summary>
    private static string Dedent(string raw)
    {
        var lines = raw.Split('\n').ToList();
        var indents = lines.Skip(1).Where(l => l.AsSpan().Trim(" \t").Length > 0).Select(l => l.Length - l.TrimStart(' ', '\t').Length).ToList();
        var common = indents.Count == 0 ? 0 : indents.Min();
        for (var i = 1; i < lines.Count; i++)
            lines[i] = lines[i].Length >= common ? lines[i][common..] : "";
        while (lines.Count > 0 && lines[0].AsSpan().Trim(" \t").Length == 0)
            lines.RemoveAt(0);
        while (lines.Count > 0 && lines[^1].AsSpan().Trim(" \t").Length == 0)
            lines.RemoveAt(lines.Count - 1);
        return string.Join('\n', lines);
    }

    private GraphToken Make(GraphTokenKind kind, string value, int start) => new(kind, value, _line, Column(start, _lineStart));

    private GraphToken Invalid(string message, int at) => throw new GraphFault(message, _line, Column(at, _lineStart));

    private int Column(int at, int lineStart)
    {
        var column = 1;
        for (var i = lineStart; i < Math.Min(at, text.Length); i++)
            column += char.IsLowSurrogate(text[i]) ? 0 : 1;
        return column;
    }
}
