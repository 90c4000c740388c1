using System.Runtime.CompilerServices;

namespace Kist.Rego.Syntax;

/// <summary>Recursive descent over a module's tokens. Files: Module, Rules, Bodies, Terms, Collections, Strings.</summary>
sealed partial class Parser
{
    /// <summary>The largest module in characters, and the deepest nesting of terms, that are read.</summary>
    public const int MaxTextLength = 4 * 1024 * 1024;
    private const int MaxDepth = 250;

    private static readonly HashSet<string> BaseKeywords =
        ["package", "import", "default", "else", "not", "with", "as", "null", "true", "false", "some"];

    private readonly string _file;
    private readonly string _text;
    private readonly WildcardNames _wildcards;
    private readonly HashSet<string> _keywords = [.. BaseKeywords];
    private List<Token> _tokens;
    private Dictionary<int, (Term Term, int End)> _parsed = [];
    private bool _isV1;
    private bool _negatesBodies;
    private int _position;
    private int _depth;
    private long _budget;

    /// <summary>True once a limit was met: no other reading is tried then.</summary>
    private bool _isHopeless;

    private Parser(RegoModule module, RegoVersion version, WildcardNames wildcards)
    {
        _file = module.Name;
        _text = module.Text;
        _wildcards = wildcards;
        if (_text.Length > MaxTextLength)
            throw new RegoException(RegoErrorCode.Parse, $"the module is longer than {MaxTextLength} characters", new RegoLocation(_file, 1, 1));
        _tokens = Lexer.Tokenize(_file, _text);
        // Brackets can be read in more than one way; what is tried in vain is bounded.
        _budget = 10_000 + (200L * _tokens.Count);
        if (version == RegoVersion.V1)
            UseV1();
    }

    private Token Current => _tokens[_position];

    private TokenKind Kind => _tokens[_position].Kind;

    private RegoLocation Here => new(_file, Current.Row, Current.Column);

    /// <summary>Parses a module.</summary>
    /// <exception cref="RegoException">rego_parse_error.</exception>
    public static ModuleSyntax ParseModule(RegoModule module, RegoVersion version)
    {
        if (version != RegoVersion.Either)
            return new Parser(module, version, new WildcardNames()).Module(module);
        try
        {
            return new Parser(module, RegoVersion.V1, new WildcardNames()).Module(module);
        }
        catch (RegoException asV1)
        {
            try
            {
                return new Parser(module, RegoVersion.V0, new WildcardNames()).Module(module);
            }
            catch (RegoException)
            {
                throw asV1;
            }
        }
    }

    /// <summary>Parses a query: a body without braces.</summary>
    /// <exception cref="RegoException">rego_parse_error.</exception>
    public static Body ParseQuery(string text, RegoVersion version)
    {
        var parser = new Parser(new RegoModule("", text), version, new WildcardNames());
        if (version == RegoVersion.Either)
            parser.UseV1();
        return parser.Query();
    }

    private void UseV1()
    {
        _isV1 = true;
        _keywords.UnionWith(["if", "contains", "in", "every"]);
    }

    private Token Advance()
    {
        if (--_budget < 0)
        {
            _isHopeless = true;
            throw Fail("the module is too ambiguous to parse");
        }

        return _tokens[_position++];
    }

    private ReadOnlySpan<char> TextOf(Token token) => _text.AsSpan(token.Start, token.Length);

    /// <summary>A keyword, unless a dot follows: then it is a name like any other.</summary>
    private bool IsKeyword(string keyword) => IsWord(keyword) && _keywords.Contains(keyword) && !IsBeforeDot;

    private bool IsBeforeDot => Kind == TokenKind.Identifier && _tokens[_position + 1] is { Kind: TokenKind.Dot, SpaceBefore: false };

    private bool IsWord(string word) => Kind == TokenKind.Identifier && TextOf(Current).SequenceEqual(word);

    private bool TryKeyword(string keyword)
    {
        if (!IsKeyword(keyword))
            return false;
        Advance();
        return true;
    }

    private bool Try(TokenKind kind)
    {
        if (Kind != kind)
            return false;
        Advance();
        return true;
    }

    private void Expect(TokenKind kind, string what)
    {
        if (!Try(kind))
            throw Unexpected($"expected {what}");
    }

    /// <summary>An identifier that is no keyword.</summary>
    private string Name(string what)
    {
        if (Kind != TokenKind.Identifier)
            throw Unexpected($"expected {what}");
        var name = TextOf(Current).ToString();
        if (_keywords.Contains(name) && !IsBeforeDot)
            throw Unexpected($"{name} keyword cannot be used as {what}");
        Advance();
        return name;
    }

    private RegoException Unexpected(string expectation)
    {
        var token = Current;
        var name = token.Kind switch
        {
            TokenKind.End => "eof",
            TokenKind.Identifier when _keywords.Contains(TextOf(token).ToString()) => $"{TextOf(token)} keyword",
            TokenKind.Identifier => "identifier",
            TokenKind.Number => "number",
            TokenKind.String or TokenKind.RawString => "string",
            TokenKind.TemplateString or TokenKind.RawTemplateString => "template string",
            _ => TextOf(token).ToString(),
        };
        return Fail($"unexpected {name} token: {expectation}");
    }

    private RegoException Fail(string message) => FailAt(Here, message);

    private static RegoException FailAt(RegoLocation at, string message) => new(RegoErrorCode.Parse, message, at);

    private DepthGuard Deeper()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            _isHopeless = true;
            throw Fail("terms are nested too deeply");
        }

        return new DepthGuard(this);
    }

    private readonly ref struct DepthGuard(Parser parser)
    {
        public void Dispose() => parser._depth--;
    }
}

/// <summary>Gives each <c>_</c> a name of its own.</summary>
sealed class WildcardNames
{
    private int _next;

    public string Next() => $"${_next++}";
}
