using Kist.Rego.Syntax;

namespace Kist.Rego.Formatting;

/// <summary>Where spaces go, and which lines go on from the one before.</summary>
static class LayoutRules
{
    private static readonly HashSet<string> Words =
        ["if", "else", "in", "not", "some", "every", "with", "as", "contains", "default", "import", "package"];

    public static bool Opens(TokenKind kind) => kind is TokenKind.OpenBrace or TokenKind.OpenBracket or TokenKind.OpenParen;

    public static bool Closes(TokenKind kind) => kind is TokenKind.CloseBrace or TokenKind.CloseBracket or TokenKind.CloseParen;

    /// <summary>
    /// Whether a space comes before a token on its line. Where white space can carry meaning (before brackets and dots), and
    /// inside braces, which are bodies as well as objects, what the author wrote is kept.
    /// </summary>
    public static bool HasSpace(string text, List<Token> tokens, int i)
    {
        var (before, token) = (tokens[i - 1], tokens[i]);
        if (token.Kind is TokenKind.Comma or TokenKind.Semicolon or TokenKind.Colon or TokenKind.CloseParen or TokenKind.CloseBracket)
            return false;
        if (before.Kind is TokenKind.Comma or TokenKind.Semicolon or TokenKind.Colon)
            return true;
        if (before.Kind is TokenKind.OpenParen or TokenKind.OpenBracket)
            return false;
        if (before.Kind == TokenKind.Minus && IsSign(text, tokens, i - 1))
            return false;
        if (IsOperator(before.Kind) || IsOperator(token.Kind))
            return true;
        if (token.Kind == TokenKind.OpenBrace && IsWord(text, before, "if", "else"))
            return true;
        return token.SpaceBefore;
    }

    /// <summary>Whether the line that begins with a token goes on with what the line before began.</summary>
    public static bool GoesOn(string text, List<Token> tokens, int i)
    {
        var (before, token) = (tokens[i - 1], tokens[i]);
        if (Closes(token.Kind))
            return false;
        if (IsWord(text, token, "with") || token.Kind == TokenKind.Dot || (IsOperator(token.Kind) && token.Kind is not (TokenKind.Or or TokenKind.Minus)))
            return true;
        return (IsOperator(before.Kind) && before.Kind != TokenKind.Or) || before.Kind is TokenKind.Colon or TokenKind.Dot
            || (IsWord(text, before, [.. Words]) && !IsKey(tokens, i - 1));
    }

    private static bool IsOperator(TokenKind kind) => kind is >= TokenKind.Assign and <= TokenKind.Or;

    /// <summary>True for a minus that negates what follows it.</summary>
    private static bool IsSign(string text, List<Token> tokens, int i)
    {
        if (i == 0)
            return true;
        var before = tokens[i - 1];
        return Opens(before.Kind) || IsOperator(before.Kind) || before.Kind is TokenKind.Comma or TokenKind.Semicolon or TokenKind.Colon
            || IsWord(text, before, [.. Words]) || tokens[i].LineBefore;
    }

    private static bool IsWord(string text, Token token, params ReadOnlySpan<string> words)
    {
        if (token.Kind != TokenKind.Identifier)
            return false;
        var written = text.AsSpan(token.Start, token.Length);
        foreach (var word in words)
        {
            if (written.SequenceEqual(word))
                return true;
        }

        return false;
    }

    /// <summary>True for a name after a dot, which is no keyword.</summary>
    private static bool IsKey(List<Token> tokens, int i) => i > 0 && tokens[i - 1].Kind == TokenKind.Dot;
}
