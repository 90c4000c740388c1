using System.Text;

namespace Kist.Rego.Syntax;

/// <summary>Cuts a module's text into tokens.</summary>
ref struct Lexer
{
    private readonly string _file;
    private readonly ReadOnlySpan<char> _text;
    private readonly int _end;
    private int _i;
    private int _row;
    private int _lineStart;
    private int _columnBase;

    private Lexer(string file, ReadOnlySpan<char> text, int start, int end, int row, int column)
    {
        _file = file;
        _text = text;
        _i = start;
        _end = end;
        _row = row;
        _lineStart = start;
        _columnBase = column - 1;
    }

    /// <summary>All tokens of a module, with one of kind End at the end.</summary>
    public static List<Token> Tokenize(string file, string text) => Tokenize(file, text, 0, text.Length, 1, 1);

    /// <summary>The tokens of a part of a module: an expression inside a template string.</summary>
    public static List<Token> Tokenize(string file, string text, int start, int end, int row, int column)
    {
        var lexer = new Lexer(file, text, start, end, row, column);
        var tokens = new List<Token>((end - start) / 4);
        do
            tokens.Add(lexer.Next());
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    private Token Next()
    {
        var before = _i;
        var row = _row;
        SkipSpace();
        var space = _i > before;
        var (start, startRow, column) = (_i, _row, Column(_i));
        var kind = _i >= _end ? TokenKind.End : Scan();
        return new Token(kind, start, _i - start, startRow, column, space, startRow > row);
    }

    private void SkipSpace()
    {
        while (_i < _end)
        {
            var c = _text[_i];
            if (c == '#')
            {
                while (_i < _end && _text[_i] != '\n')
                    _i++;
            }
            else if (c == '\n')
            {
                _i++;
                NewLine();
            }
            else if (c is ' ' or '\t' or '\r')
            {
                _i++;
            }
            else
            {
                return;
            }
        }
    }

    private TokenKind Scan()
    {
        var c = _text[_i];
        if (char.IsAsciiLetter(c) || c == '_')
            return Identifier();
        if (char.IsAsciiDigit(c))
            return Number();
        switch (c)
        {
            case '"': return Quoted(TokenKind.String);
            case '`': return Quoted(TokenKind.RawString);
            case '$' when Peek(1) == '"':
                _i++;
                return Quoted(TokenKind.TemplateString);
            case '$' when Peek(1) == '`':
                _i++;
                return Quoted(TokenKind.RawTemplateString);
            default: return Punctuation(c);
        }
    }

    private TokenKind Identifier()
    {
        while (_i < _end && (char.IsAsciiLetterOrDigit(_text[_i]) || _text[_i] == '_'))
            _i++;
        return TokenKind.Identifier;
    }

    private TokenKind Number()
    {
        var start = _i;
        while (_i < _end && (char.IsAsciiLetterOrDigit(_text[_i]) || _text[_i] == '.' ||
                (_text[_i] is '+' or '-' && _text[_i - 1] is 'e' or 'E')))
            _i++;
        // A dot that no digit follows belongs to what comes after the number.
        while (_text[_i - 1] == '.')
            _i--;
        if (RegoNumber.TryParse(_text[start.._i]) is null)
            throw Error(start, _i - start < 64 ? $"illegal number format: {_text[start.._i]}" : "illegal number format");
        return TokenKind.Number;
    }

    /// <summary>A string of any kind; the position is at its quote.</summary>
    private TokenKind Quoted(TokenKind kind)
    {
        var start = _i;
        var close = TemplateText.EndOfString(_text, _i, _end, kind is TokenKind.TemplateString or TokenKind.RawTemplateString);
        if (close < 0)
            throw Error(start, "non-terminated string");
        while (_i <= close)
        {
            if (_text[_i++] == '\n')
                NewLine();
        }

        return kind;
    }

    private TokenKind Punctuation(char c)
    {
        var next = Peek(1);
        var (kind, length) = (c, next) switch
        {
            (':', '=') => (TokenKind.Assign, 2),
            ('=', '=') => (TokenKind.Equal, 2),
            ('!', '=') => (TokenKind.NotEqual, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('.', _) => (TokenKind.Dot, 1),
            (',', _) => (TokenKind.Comma, 1),
            (';', _) => (TokenKind.Semicolon, 1),
            (':', _) => (TokenKind.Colon, 1),
            ('{', _) => (TokenKind.OpenBrace, 1),
            ('}', _) => (TokenKind.CloseBrace, 1),
            ('[', _) => (TokenKind.OpenBracket, 1),
            (']', _) => (TokenKind.CloseBracket, 1),
            ('(', _) => (TokenKind.OpenParen, 1),
            (')', _) => (TokenKind.CloseParen, 1),
            ('=', _) => (TokenKind.Unify, 1),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Times, 1),
            ('/', _) => (TokenKind.Divide, 1),
            ('%', _) => (TokenKind.Remainder, 1),
            ('&', _) => (TokenKind.And, 1),
            ('|', _) => (TokenKind.Or, 1),
            _ => throw Error(_i, $"illegal character {Describe(c)}"),
        };
        _i += length;
        return kind;
    }

    private readonly char Peek(int distance) => _i + distance < _end ? _text[_i + distance] : '\0';

    private void NewLine()
    {
        _row++;
        _lineStart = _i;
        _columnBase = 0;
    }

    private readonly int Column(int offset) =>
        offset <= _lineStart ? _columnBase + 1 : _columnBase + 1 + Encoding.UTF8.GetByteCount(_text[_lineStart..offset]);

    private readonly RegoException Error(int offset, string message) =>
        new(RegoErrorCode.Parse, message, new RegoLocation(_file, _row, Column(offset)));

    private static string Describe(char c) => c is > ' ' and < '\x7f' ? c.ToString() : $"U+{(int)c:X4}";
}
