namespace Kist.Rego.Syntax;

enum TokenKind
{
    End,
    Identifier,
    Number,
    String,
    RawString,
    TemplateString,
    RawTemplateString,
    Dot,
    Comma,
    Semicolon,
    Colon,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Assign,
    Unify,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    And,
    Or,
}

/// <summary>One token of the source text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Offset of its first character.</param>
/// <param name="Length">Its length in characters.</param>
/// <param name="Row">Line, from 1.</param>
/// <param name="Column">Column in UTF-8 bytes, from 1.</param>
/// <param name="SpaceBefore">True if white space or a comment precedes it.</param>
/// <param name="LineBefore">True if a line ended between the previous token and this one.</param>
readonly record struct Token(TokenKind Kind, int Start, int Length, int Row, int Column, bool SpaceBefore, bool LineBefore);
