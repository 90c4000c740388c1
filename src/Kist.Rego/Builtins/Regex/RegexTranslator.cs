using System.Globalization;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>
/// Translates RE2 syntax, as Go's regexp reads it, to .NET's. Whatever RE2 does not have (look-around, back-references)
/// is refused; what means something else in .NET (<c>$</c>, <c>\d</c>, <c>\w</c>, POSIX classes) is spelled out.
/// </summary>
ref struct RegexTranslator
{
    private const int MaxRepeat = 1000;
    private const int MaxDepth = 200;

    private readonly ReadOnlySpan<char> _pattern;
    private readonly StringBuilder _result = new();
    private readonly Stack<bool> _outerMultiline = new();
    private readonly Stack<int> _outerRepeats = new();
    private int _i;
    private bool _multiline;
    private bool _swapGreed;

    // The most often that anything inside the current group, and inside the last atom, is repeated: nested counts multiply.
    private int _repeats = 1;
    private int _atomRepeats = 1;

    private RegexTranslator(ReadOnlySpan<char> pattern) => _pattern = pattern;

    /// <summary>Translates.</summary>
    /// <exception cref="FormatException">The pattern is not RE2.</exception>
    public static string Translate(string pattern)
    {
        var translator = new RegexTranslator(pattern);
        translator.Run();
        return translator._result.ToString();
    }

    private void Run()
    {
        var repeatable = false;
        while (_i < _pattern.Length)
        {
            var c = _pattern[_i];
            switch (c)
            {
                case '(':
                    repeatable = Open();
                    continue;
                case ')':
                    if (_outerMultiline.Count == 0)
                        throw Error("unexpected )");
                    _multiline = _outerMultiline.Pop();
                    _atomRepeats = _repeats;
                    _repeats = Math.Max(_outerRepeats.Pop(), _repeats);
                    _i++;
                    _result.Append(')');
                    repeatable = true;
                    continue;
                case '|':
                    _i++;
                    _result.Append('|');
                    repeatable = false;
                    continue;
                case '*' or '+' or '?':
                    _i++;
                    Repeat(repeatable, c.ToString());
                    repeatable = false;
                    continue;
                case '{' when Counted(out var count, out var most):
                    Multiply(most);
                    Repeat(repeatable, count);
                    repeatable = false;
                    continue;
                case '[':
                    Class();
                    break;
                case '\\':
                    repeatable = Escape();
                    _atomRepeats = 1;
                    continue;
                case '$':
                    _i++;
                    _result.Append(_multiline ? "$" : "\\z");
                    break;
                case '^' or '.':
                    _i++;
                    _result.Append(c);
                    break;
                default:
                    AppendLiteral(NextRune());
                    break;
            }

            repeatable = true;
            _atomRepeats = 1;
        }

        if (_outerMultiline.Count > 0)
            throw Error("missing closing )");
    }

    private bool Open()
    {
        if (_outerMultiline.Count >= MaxDepth)
            throw Error("expression nests too deeply");
        _i++;
        var outer = _multiline;
        if (_i >= _pattern.Length || _pattern[_i] != '?')
        {
            _result.Append('(');
            Enter(outer);
            return false;
        }

        _i++;
        if (StartsWith("P<") || StartsWith("<"))
            Named();
        else
            return Flags(outer);
        Enter(outer);
        return false;
    }

    private void Enter(bool outerMultiline)
    {
        _outerMultiline.Push(outerMultiline);
        _outerRepeats.Push(_repeats);
        _repeats = 1;
    }

    private void Multiply(int most)
    {
        _atomRepeats *= Math.Max(most, 1);
        if (_atomRepeats > MaxRepeat)
            throw Error("invalid repeat count");
        _repeats = Math.Max(_repeats, _atomRepeats);
    }

    private void Named()
    {
        _i += _pattern[_i] == 'P' ? 2 : 1;
        var length = _pattern[_i..].IndexOf('>');
        if (length <= 0 || !Evaluation.Names.IsIdentifier("_" + _pattern.Slice(_i, length).ToString()))
            throw Error("invalid named capture");
        // Names only matter to Go callers; numbers are kept in order by leaving groups unnamed.
        _result.Append('(');
        _i += length + 1;
    }

    /// <summary><c>(?flags)</c> or <c>(?flags:re)</c>.</summary>
    private bool Flags(bool outer)
    {
        var negative = false;
        var on = "";
        var off = "";
        for (; _i < _pattern.Length; _i++)
        {
            var c = _pattern[_i];
            switch (c)
            {
                case 'i' or 's':
                    if (negative)
                        off += c;
                    else
                        on += c;
                    break;
                case 'm':
                    _multiline = !negative;
                    if (negative)
                        off += c;
                    else
                        on += c;
                    break;
                case 'U':
                    _swapGreed = !negative;
                    break;
                case '-' when !negative:
                    negative = true;
                    break;
                case ':' or ')':
                    _i++;
                    var flags = $"?{on}{(off.Length > 0 ? $"-{off}" : "")}";
                    _result.Append('(').Append(flags is "?" && c == ')' ? "?:" : flags).Append(c);
                    if (c == ':')
                        Enter(outer);
                    return false;
                default:
                    throw Error("invalid or unsupported Perl syntax");
            }
        }

        throw Error("missing argument to group flags");
    }

    private void Repeat(bool repeatable, string operation)
    {
        if (!repeatable)
            throw Error($"missing argument to repetition operator, or a nested one: `{operation}`");
        _result.Append(operation);
        var lazy = _i < _pattern.Length && _pattern[_i] == '?';
        if (lazy)
            _i++;
        if (lazy != _swapGreed)
            _result.Append('?');
    }

    private bool Counted(out string count, out int most)
    {
        (count, most) = ("", 0);
        var length = _pattern[_i..].IndexOf('}');
        if (length < 0)
            return false;
        var parts = _pattern.Slice(_i + 1, length - 1).ToString().Split(',');
        if (parts.Length > 2 || parts[0].Length == 0 || !parts.All(p => p.All(char.IsAsciiDigit)))
            return false;
        if (parts.Any(p => p.Length > 4 || (p.Length > 0 && int.Parse(p, CultureInfo.InvariantCulture) > MaxRepeat)) ||
            (parts is [var low, { Length: > 0 } high] && int.Parse(low, CultureInfo.InvariantCulture) > int.Parse(high, CultureInfo.InvariantCulture)))
            throw Error("invalid repeat count");
        most = int.Parse(parts[^1].Length > 0 ? parts[^1] : parts[0], CultureInfo.InvariantCulture);
        count = _pattern.Slice(_i, length + 1).ToString();
        _i += length + 1;
        return true;
    }

    private bool Escape()
    {
        if (StartsWith("\\Q"))
        {
            var end = _pattern[_i..].IndexOf("\\E", StringComparison.Ordinal);
            var text = end < 0 ? _pattern[(_i + 2)..] : _pattern.Slice(_i + 2, end - 2);
            foreach (var rune in text.EnumerateRunes())
                AppendLiteral(rune);
            _i = end < 0 ? _pattern.Length : _i + end + 2;
            return text.Length > 0;
        }

        _i++;
        if (_i >= _pattern.Length)
            throw Error("trailing backslash at end of expression");
        var c = _pattern[_i];
        if (c is 'A' or 'z' or 'b' or 'B')
        {
            _i++;
            _result.Append('\\').Append(c);
        }
        else if (ClassEscape(inClass: false) is { } set)
        {
            _result.Append(set);
        }
        else
        {
            AppendLiteral(LiteralEscape());
        }

        return true;
    }

    /// <summary>The .NET text of <c>\d</c> and its like at the position after the backslash; null if it is none.</summary>
    private string? ClassEscape(bool inClass)
    {
        var c = _pattern[_i];
        if (c is 'p' or 'P')
            return UnicodeClass();
        var items = char.ToLowerInvariant(c) switch { 'd' => "0-9", 'w' => "0-9A-Za-z_", 's' => "\\t\\n\\f\\r ", _ => null };
        if (items is null)
            return null;
        _i++;
        if (char.IsAsciiLetterLower(c))
            return inClass ? items : $"[{items}]";
        // A negated class inside a class needs its complement spelled out.
        return !inClass ? $"[^{items}]" : c switch
        {
            'D' => "\\0-/:-\\uFFFF",
            'W' => "\\0-/:-@\\[-\\^`{-\\uFFFF",
            _ => "\\0-\\x08\\x0B\\x0E-\\x1F!-\\uFFFF",
        };
    }

    private string UnicodeClass()
    {
        var negative = _pattern[_i] == 'P';
        _i++;
        string name;
        if (_i < _pattern.Length && _pattern[_i] == '{')
        {
            var length = _pattern[_i..].IndexOf('}');
            if (length < 0)
                throw Error("invalid character class range");
            name = _pattern.Slice(_i + 1, length - 1).ToString();
            _i += length + 1;
        }
        else
        {
            name = _i < _pattern.Length ? _pattern[_i++].ToString() : throw Error("invalid character class range");
        }

        if (name.StartsWith('^'))
            (negative, name) = (!negative, name[1..]);
        return UnicodeScripts.Translate(name, negative) ?? throw Error($"invalid character class range: \\p{{{name}}}");
    }

    private Rune LiteralEscape()
    {
        var c = _pattern[_i];
        switch (c)
        {
            case 'a': return Take('\a');
            case 'f': return Take('\f');
            case 't': return Take('\t');
            case 'n': return Take('\n');
            case 'r': return Take('\r');
            case 'v': return Take('\v');
            case 'x': return Hexadecimal();
            case >= '0' and <= '7': return Octal(c);
            default:
                if (char.IsAsciiLetterOrDigit(c))
                    throw Error($"invalid escape sequence: \\{c}");
                return NextRune();
        }
    }

    private Rune Take(char value)
    {
        _i++;
        return new Rune(value);
    }

    private Rune Octal(char first)
    {
        // \1 to \7 alone would be references to groups, which RE2 does not have.
        var next = _i + 1 < _pattern.Length ? _pattern[_i + 1] : '\0';
        if (first != '0' && next is not (>= '0' and <= '7'))
            throw Error($"invalid escape sequence: \\{first}");
        var value = 0;
        for (var n = 0; n < 3 && _i < _pattern.Length && _pattern[_i] is >= '0' and <= '7'; n++)
            value = (value * 8) + _pattern[_i++] - '0';
        return new Rune(value);
    }

    private Rune Hexadecimal()
    {
        _i++;
        ReadOnlySpan<char> digits;
        if (_i < _pattern.Length && _pattern[_i] == '{')
        {
            var length = _pattern[_i..].IndexOf('}');
            digits = length < 0 ? default : _pattern.Slice(_i + 1, length - 1);
            _i += Math.Max(length, 0) + 1;
        }
        else
        {
            digits = _i + 2 <= _pattern.Length ? _pattern.Slice(_i, 2) : default;
            _i += 2;
        }

        if (!int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || !Rune.IsValid(value))
            throw Error("invalid escape sequence: \\x");
        return new Rune(value);
    }

    private void Class()
    {
        _i++;
        _result.Append('[');
        if (_i < _pattern.Length && _pattern[_i] == '^')
        {
            _i++;
            _result.Append('^');
        }

        for (var first = true; ; first = false)
        {
            if (_i >= _pattern.Length)
                throw Error("missing closing ]");
            if (_pattern[_i] == ']' && !first)
                break;
            ClassItem();
        }

        _i++;
        _result.Append(']');
    }

    private void ClassItem()
    {
        if (StartsWith("[:"))
        {
            var length = _pattern[_i..].IndexOf(":]", StringComparison.Ordinal);
            if (length > 0)
            {
                _result.Append(PosixClasses.Translate(_pattern.Slice(_i + 2, length - 2)) ?? throw Error("invalid character class range"));
                _i += length + 2;
                return;
            }
        }

        if (_pattern[_i] == '\\' && _i + 1 < _pattern.Length)
        {
            _i++;
            if (ClassEscape(inClass: true) is { } set)
            {
                _result.Append(set);
                return;
            }

            _i--;
        }

        var low = ClassRune();
        if (_i + 1 < _pattern.Length && _pattern[_i] == '-' && _pattern[_i + 1] != ']')
        {
            _i++;
            var high = ClassRune();
            if (high < low)
                throw Error("invalid character class range");
            AppendClassRune(low);
            // .NET's classes hold UTF-16 units: a range that leaves the first plane ends there.
            _result.Append('-');
            AppendClassRune(high.IsBmp ? high : new Rune(0xFFFD));
            return;
        }

        AppendClassRune(low);
    }

    private Rune ClassRune()
    {
        if (_pattern[_i] != '\\')
            return NextRune();
        _i++;
        if (_i >= _pattern.Length)
            throw Error("trailing backslash at end of expression");
        return LiteralEscape();
    }

    private readonly void AppendClassRune(Rune rune)
    {
        if (rune.IsBmp)
            _result.Append("\\u").Append(rune.Value.ToString("X4", CultureInfo.InvariantCulture));
        else
            _result.Append(rune.ToString());
    }

    private readonly void AppendLiteral(Rune rune)
    {
        if (rune.IsAscii && !Rune.IsLetterOrDigit(rune))
            _result.Append("\\x").Append(rune.Value.ToString("X2", CultureInfo.InvariantCulture));
        else
            _result.Append(rune.IsBmp ? rune.ToString() : $"(?:{rune})");
    }

    private Rune NextRune()
    {
        Rune.DecodeFromUtf16(_pattern[_i..], out var rune, out var length);
        _i += length;
        return rune;
    }

    private readonly bool StartsWith(string text) => _pattern[_i..].StartsWith(text, StringComparison.Ordinal);

    private readonly FormatException Error(string reason) => new($"error parsing regexp: {reason}: `{_pattern}`");
}
