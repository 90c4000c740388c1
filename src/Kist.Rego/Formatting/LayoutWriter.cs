using System.Text;
using Kist.Rego.Syntax;

namespace Kist.Rego.Formatting;

/// <summary>Writes tokens and the comments between them, line by line.</summary>
sealed class LayoutWriter(string text, List<Token> tokens)
{
    private readonly StringBuilder _out = new();
    private readonly List<int> _openedAt = [];
    private int _line;
    private bool _atStart = true;
    private bool _afterPackage;

    public string Write()
    {
        var end = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var gap = text.AsSpan(end, tokens[i].Start - end);
            Gap(gap.ToString(), i);
            if (tokens[i].Kind == TokenKind.End)
                break;
            Token(i);
            end = tokens[i].Start + tokens[i].Length;
        }

        return _out.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>What lies between two tokens: line breaks and comments.</summary>
    private void Gap(string gap, int next)
    {
        var lines = gap.Split('\n');
        var isFirst = next == 0;
        for (var n = 0; n < lines.Length; n++)
        {
            var line = lines[n].Trim();
            if (line.Length > 0)
                Comment(line, onOwnLine: n > 0 || isFirst, next);
            else if (n > 0 && n < lines.Length - 1)
                Blank(next);
            if (n < lines.Length - 1)
                Break();
        }
    }

    private void Comment(string comment, bool onOwnLine, int next)
    {
        if (onOwnLine)
            StartLine(next, isComment: true);
        else
            _out.Append(' ');
        _out.Append(comment);
        _atStart = false;
    }

    private void Break()
    {
        if (_atStart)
            return;
        _out.Append('\n');
        _line++;
        _atStart = true;
    }

    /// <summary>One blank line, but not at a block's beginning or end, nor twice.</summary>
    private void Blank(int next)
    {
        Break();
        if (_out.Length == 0 || EndsWithBlank() || tokens[next].Kind is TokenKind.End || LayoutRules.Closes(tokens[next].Kind))
            return;
        if (next > 0 && LayoutRules.Opens(tokens[next - 1].Kind) && _out[^2] is '{' or '[' or '(')
            return;
        _out.Append('\n');
    }

    private bool EndsWithBlank() => _out.Length >= 2 && _out[^1] == '\n' && _out[^2] == '\n';

    private void Token(int i)
    {
        var token = tokens[i];
        if (LayoutRules.Closes(token.Kind) && _openedAt.Count > 0)
            _openedAt.RemoveAt(_openedAt.Count - 1);
        if (_atStart)
            StartLine(i, isComment: false);
        else if (i > 0 && LayoutRules.HasSpace(text, tokens, i))
            _out.Append(' ');
        var written = text.AsSpan(token.Start, token.Length);
        _out.Append(written);
        _line += written.Count('\n');
        _atStart = false;
        if (LayoutRules.Opens(token.Kind))
            _openedAt.Add(_line);
        _afterPackage |= i == 0 && written is "package";
    }

    /// <summary>How many brackets a line that begins with a closing one closes right after it.</summary>
    private int FurtherClosers(int next)
    {
        var last = next;
        if (LayoutRules.Closes(tokens[next].Kind))
        {
            while (LayoutRules.Closes(tokens[last + 1].Kind) && !tokens[last + 1].LineBefore)
                last++;
        }

        return last - next;
    }

    /// <summary>The indentation: a level for each line that opened something that is still open, and one for a line that goes on.</summary>
    private void StartLine(int next, bool isComment)
    {
        if (_afterPackage && _out.Length > 0 && !EndsWithBlank())
            _out.Append('\n');
        _afterPackage &= _out.Length == 0;
        var levels = _openedAt.SkipLast(isComment ? 0 : FurtherClosers(next)).Distinct().Count();
        if (!isComment && next > 0 && LayoutRules.GoesOn(text, tokens, next))
            levels++;
        _out.Append('\t', levels);
        _atStart = false;
    }
}
