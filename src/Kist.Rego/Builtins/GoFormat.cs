using System.Globalization;
using System.Numerics;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>Go's fmt.Sprintf for the values that policies pass: strings, integers, floats, and anything else as its text.</summary>
sealed class GoFormat
{
    /// <summary>The widest field, as in Go.</summary>
    private const int MaxWidth = 1_000_000;

    private readonly StringBuilder _text = new();
    private readonly string _format;
    private readonly RegoArray _arguments;
    private readonly BuiltinContext _context;
    private int _next;
    private bool _reordered;

    private GoFormat(string format, RegoArray arguments, BuiltinContext context)
    {
        _format = format;
        _arguments = arguments;
        _context = context;
    }

    public static string Format(string format, RegoArray arguments, BuiltinContext context) => new GoFormat(format, arguments, context).Run();

    /// <summary>Digits in a base of at most 16, lower case.</summary>
    public static string Integer(BigInteger value, int radix)
    {
        if (radix == 10)
            return value.ToString(CultureInfo.InvariantCulture);
        if (value.IsZero)
            return "0";
        var digits = new StringBuilder();
        var bits = radix switch { 2 => 1, 8 => 3, _ => 4 };
        for (var rest = BigInteger.Abs(value); !rest.IsZero; rest >>= bits)
            digits.Append("0123456789abcdef"[(int)(rest & (radix - 1))]);
        if (value.Sign < 0)
            digits.Append('-');
        var characters = digits.ToString().ToCharArray();
        Array.Reverse(characters);
        return new string(characters);
    }

    private string Run()
    {
        for (var i = 0; i < _format.Length;)
        {
            if (_format[i] != '%')
            {
                _text.Append(_format[i++]);
                continue;
            }

            i++;
            Verb(ref i);
            _context.Evaluation.Charge(_text.Length * 2L);
        }

        if (!_reordered && _next < _arguments.Count)
            Extra();
        return _text.ToString();
    }

    private void Extra()
    {
        _text.Append("%!(EXTRA ");
        for (var i = _next; i < _arguments.Count; i++)
        {
            if (i > _next)
                _text.Append(", ");
            _text.Append(TypeOf(_arguments[i])).Append('=').Append(Plain(_arguments[i]));
        }

        _text.Append(')');
    }

    private void Verb(ref int i)
    {
        var spec = new Spec();
        for (; i < _format.Length && "+-# 0".Contains(_format[i]); i++)
            spec.Flag(_format[i]);
        var indexed = Index(ref i);
        spec.Width = NumberOrStar(ref i, spec, ref indexed, isWidth: true);
        if (i < _format.Length && _format[i] == '.')
        {
            i++;
            indexed |= Index(ref i);
            spec.Precision = NumberOrStar(ref i, spec, ref indexed, isWidth: false) ?? 0;
        }

        if (!indexed)
            Index(ref i);
        if (i >= _format.Length)
        {
            _text.Append("%!(NOVERB)");
            return;
        }

        Rune.DecodeFromUtf16(_format.AsSpan(i), out var verb, out var length);
        i += length;
        if (verb.Value == '%')
        {
            _text.Append('%');
            return;
        }

        if (_badIndex)
            _text.Append("%!").Append(verb.ToString()).Append("(BADINDEX)");
        else if (_next >= _arguments.Count)
            _text.Append("%!").Append(verb.ToString()).Append("(MISSING)");
        else
            Argument(_arguments[_next++], verb, spec);
        _badIndex = false;
    }

    private bool _badIndex;

    /// <summary>An explicit argument index, <c>[n]</c>.</summary>
    private bool Index(ref int i)
    {
        if (i >= _format.Length || _format[i] != '[')
            return false;
        _reordered = true;
        var close = _format.IndexOf(']', i);
        if (close < 0)
        {
            _badIndex = true;
            i++;
            return true;
        }

        var valid = int.TryParse(_format.AsSpan(i + 1, close - i - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 1 && n <= _arguments.Count;
        if (valid)
            _next = n - 1;
        else
            _badIndex = true;
        i = close + 1;
        return true;
    }

    private int? NumberOrStar(ref int i, Spec spec, ref bool indexed, bool isWidth)
    {
        if (i < _format.Length && _format[i] == '*')
        {
            i++;
            indexed = false;
            if (_next < _arguments.Count && _arguments[_next++] is RegoNumber n && n.TryGetInt64(out var star) && Math.Abs(star) <= MaxWidth)
            {
                if (isWidth && star < 0)
                    spec.Flag('-');
                return isWidth ? (int)Math.Abs(star) : star < 0 ? null : (int)star;
            }

            _text.Append(isWidth ? "%!(BADWIDTH)" : "%!(BADPREC)");
            return null;
        }

        var start = i;
        while (i < _format.Length && char.IsAsciiDigit(_format[i]))
            i++;
        if (i == start)
            return null;
        return int.TryParse(_format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxWidth ? number : null;
    }

    private void Argument(RegoValue value, Rune verb, Spec spec)
    {
        var text = value switch
        {
            _ when verb.Value == 'T' => TypeOf(value),
            RegoString s => GoText.String(s.Value, verb, spec),
            RegoNumber n when IsInteger(n, out var integer) => GoNumbers.Integer(integer, verb, spec),
            RegoNumber n => GoNumbers.Float(n.ToDouble(), verb, spec),
            _ => GoText.String(value.ToString(), verb, spec),
        };
        if (text is null)
            _text.Append("%!").Append(verb.ToString()).Append('(').Append(TypeOf(value)).Append('=').Append(Plain(value)).Append(')');
        else
            _text.Append(verb.Value == 'T' ? spec.Pad(text) : text);
    }

    /// <summary>Only numbers that are written as integers are integers here; 1.0 is a float.</summary>
    private static bool IsInteger(RegoNumber n, out BigInteger value) => n.TryGetInteger(out value) && n.IsWrittenAsInteger;

    private static string TypeOf(RegoValue value) => value switch
    {
        RegoNumber n => !IsInteger(n, out _) ? "float64" : n.TryGetInt64(out _) ? "int" : "*big.Int",
        _ => "string",
    };

    private static string Plain(RegoValue value) => value switch
    {
        RegoString s => s.Value,
        RegoNumber n => !IsInteger(n, out _) ? GoNumbers.Float(n.ToDouble(), new Rune('v'), new Spec())! : n.ToString(),
        _ => value.ToString(),
    };

    /// <summary>The flags, width and precision of one verb.</summary>
    internal sealed class Spec
    {
        public bool Plus { get; private set; }

        public bool Minus { get; private set; }

        public bool Sharp { get; private set; }

        public bool Space { get; private set; }

        public bool Zero { get; private set; }

        public int? Width { get; set; }

        public int? Precision { get; set; }

        public void Flag(char flag)
        {
            switch (flag)
            {
                case '+': Plus = true; break;
                case '-': Minus = true; break;
                case '#': Sharp = true; break;
                case ' ': Space = true; break;
                case '0': Zero = true; break;
            }
        }

        /// <summary>Fills up to the width, on the left unless the minus flag is given.</summary>
        public string Pad(string text, bool zeros = false)
        {
            var missing = (Width ?? 0) - CodePoints.Count(text);
            if (missing <= 0)
                return text;
            if (Minus)
                return text + new string(' ', missing);
            return new string(zeros && Zero ? '0' : ' ', missing) + text;
        }
    }
}
