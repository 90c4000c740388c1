using System.Globalization;
using System.Text;

namespace Kist.Rego.Syntax;

sealed partial class Parser
{
    /// <summary>The text that a string token stands for.</summary>
    private string StringValue(Token token)
    {
        var inner = _text.AsSpan(token.Start + 1, token.Length - 2);
        return token.Kind == TokenKind.RawString ? inner.ToString() : Unescape(inner, token);
    }

    private string Unescape(ReadOnlySpan<char> text, Token token, bool template = false)
    {
        if (text.IndexOf('\\') < 0 && text.IndexOfAnyInRange('\0', '\x1f') < 0)
            return text.ToString();
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] < ' ')
                throw Illegal(token);
            if (text[i] != '\\')
            {
                result.Append(text[i]);
                continue;
            }

            var escape = ++i < text.Length ? text[i] : '\0';
            var plain = escape switch
            {
                '"' or '\\' or '/' => escape,
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '{' or '}' when template => escape,
                'u' when i + 4 < text.Length && ushort.TryParse(text.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) => (char)code,
                _ => throw Illegal(token),
            };
            if (escape == 'u')
                i += 4;
            result.Append(plain);
        }

        return result.ToString();
    }

    private RegoException Illegal(Token token) => FailAt(new RegoLocation(_file, token.Row, token.Column), "illegal string literal");

    /// <summary><c>$"text {term} text"</c>.</summary>
    private TemplateTerm Template(RegoLocation at)
    {
        var token = Advance();
        var raw = token.Kind == TokenKind.RawTemplateString;
        var parts = new List<Term>();
        var (start, end) = (token.Start + 2, token.Start + token.Length - 1);
        for (var i = start; i < end; i++)
        {
            if (_text[i] == '\\')
            {
                i++;
            }
            else if (_text[i] == '{')
            {
                AddText(parts, at, token, start, i, raw);
                var close = TemplateText.EndOfExpression(_text, i + 1, end);
                if (close < 0)
                    throw FailAt(at, "template string: { is not closed");
                parts.Add(TemplateExpression(i + 1, close, token));
                i = close;
                start = close + 1;
            }
        }

        AddText(parts, at, token, start, end, raw);
        return new TemplateTerm(at, parts);
    }

    private void AddText(List<Term> parts, RegoLocation at, Token token, int start, int end, bool raw)
    {
        if (start >= end)
            return;
        var text = _text.AsSpan(start, end - start);
        var value = raw ? text.ToString().Replace("\\{", "{", StringComparison.Ordinal) : Unescape(text, token, template: true);
        parts.Add(new ConstantTerm(at, new RegoString(value)));
    }

    /// <summary>Parses one expression in a template, with this parser's keywords: it becomes the set of its values.</summary>
    private ComprehensionTerm TemplateExpression(int start, int end, Token token)
    {
        var line = _text.AsSpan(token.Start, start - token.Start);
        var rows = line.Count('\n');
        var column = rows == 0 ? token.Column + Encoding.UTF8.GetByteCount(line) : Encoding.UTF8.GetByteCount(line[(line.LastIndexOf('\n') + 1)..]) + 1;
        var (tokens, position, parsed) = (_tokens, _position, _parsed);
        _tokens = Lexer.Tokenize(_file, _text, start, end, token.Row + rows, column);
        _position = 0;
        _parsed = [];
        try
        {
            var at = Here;
            var value = new VariableTerm(at, _wildcards.Next());
            var expression = new TermExpression(at, TermNames.Operator(at, TermNames.Unify, value, InfixTerm())) { With = Withs() };
            if (Kind != TokenKind.End)
                throw Unexpected("expected } after one term");
            return new ComprehensionTerm(at, ComprehensionKind.Set, null, value, new Body(at, [expression]));
        }
        finally
        {
            (_tokens, _position, _parsed) = (tokens, position, parsed);
        }
    }
}
