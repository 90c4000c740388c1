using System.Globalization;
using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>
/// strings.render_template: the part of Go's text/template that has fields, variables, <c>if</c>, <c>range</c>, <c>with</c>,
/// <c>else</c> and <c>end</c>. What it does not know makes the call fail.
/// </summary>
static class TemplateBuiltins
{
    public static void Register(Registry table) => table.Add("strings.render_template", 2, (c, a) =>
        c.String(a, 0, out var template) && c.Object(a, 1, out var variables) ? c.Text(new Rendering(template, variables, c).Run()) : null);

    private sealed class Rendering(string template, RegoObject root, BuiltinContext context)
    {
        private const int MaxDepth = 100;

        private readonly StringBuilder _text = new();
        private readonly List<(string Name, RegoValue? Value)> _variables = [("$", root)];
        private readonly List<(bool IsAction, string Text)> _parts = Split(template);

        public string Run()
        {
            var i = 0;
            Block(ref i, root, emit: true, 0);
            return i == _parts.Count ? _text.ToString() : throw new FormatException($"template: unexpected {{{{{_parts[i].Text}}}}}");
        }

        /// <summary>Cuts into texts and actions; <c>{{-</c> and <c>-}}</c> trim the text beside them.</summary>
        private static List<(bool, string)> Split(string template)
        {
            var parts = new List<(bool, string)>();
            for (var i = 0; i < template.Length;)
            {
                var open = template.IndexOf("{{", i, StringComparison.Ordinal);
                var text = open < 0 ? template[i..] : template[i..open];
                if (parts.Count > 0 && parts[^1] is (true, ['\0', ..]))
                {
                    parts[^1] = (true, parts[^1].Item2[1..]);
                    text = text.TrimStart();
                }

                var trims = open >= 0 && open + 3 < template.Length && template[open + 2] == '-' && char.IsWhiteSpace(template[open + 3]);
                parts.Add((false, trims ? text.TrimEnd() : text));
                if (open < 0)
                    break;
                var close = template.IndexOf("}}", open, StringComparison.Ordinal);
                if (close < 0)
                    throw new FormatException("template: unclosed action");
                var action = template[(open + (trims ? 3 : 2))..close];
                var trimsNext = action.EndsWith(" -", StringComparison.Ordinal);
                parts.Add((true, (trimsNext ? "\0" : "") + (trimsNext ? action[..^2] : action).Trim()));
                i = close + 2;
            }

            if (parts.Count > 0 && parts[^1] is (true, ['\0', ..]))
                parts[^1] = (true, parts[^1].Item2[1..]);
            return parts;
        }

        /// <summary>Renders up to <c>else</c> or <c>end</c> of the enclosing action.</summary>
        private void Block(ref int i, RegoValue dot, bool emit, int depth)
        {
            if (depth > MaxDepth)
                throw new FormatException("template: nested too deeply");
            var variables = _variables.Count;
            for (; i < _parts.Count; i++)
            {
                context.Evaluation.Tick();
                var (isAction, text) = _parts[i];
                if (!isAction)
                {
                    if (emit)
                        Append(text);
                    continue;
                }

                if (text is "end" || text == "else" || text.StartsWith("else ", StringComparison.Ordinal))
                    break;
                Action(ref i, text, dot, emit, depth);
            }

            _variables.RemoveRange(variables, _variables.Count - variables);
        }

        private void Action(ref int i, string text, RegoValue dot, bool emit, int depth)
        {
            var space = text.IndexOf(' ');
            var word = space < 0 ? text : text[..space];
            var rest = space < 0 ? "" : text[(space + 1)..].Trim();
            switch (word)
            {
                case "if":
                    If(ref i, rest, dot, emit, depth, changesDot: false);
                    break;
                case "with":
                    If(ref i, rest, dot, emit, depth, changesDot: true);
                    break;
                case "range":
                    Range(ref i, rest, dot, emit, depth);
                    break;
                case ['/', '*', ..]:
                    break;
                default:
                    if (emit)
                        Pipeline(text, dot);
                    break;
            }
        }

        private void Pipeline(string text, RegoValue dot)
        {
            var assign = text.IndexOf(":=", StringComparison.Ordinal);
            if (assign > 0)
                _variables.Add((text[..assign].Trim(), Value(text[(assign + 2)..].Trim(), dot)));
            else
                Append(Shown(Value(text, dot)));
        }

        private void If(ref int i, string condition, RegoValue dot, bool emit, int depth, bool changesDot)
        {
            var value = emit ? Value(condition, dot) : null;
            var holds = emit && IsTrue(value);
            i++;
            Block(ref i, changesDot && value is not null ? value : dot, holds, depth + 1);
            Else(ref i, dot, emit && !holds, depth, changesDot);
        }

        private void Else(ref int i, RegoValue dot, bool emit, int depth, bool changesDot)
        {
            if (i >= _parts.Count)
                throw new FormatException("template: unexpected EOF");
            var text = _parts[i].Text;
            if (text == "end")
                return;
            if (text.StartsWith("else if ", StringComparison.Ordinal))
            {
                If(ref i, text[8..].Trim(), dot, emit, depth + 1, changesDot);
                return;
            }

            i++;
            Block(ref i, dot, emit, depth + 1);
            if (i >= _parts.Count || _parts[i].Text != "end")
                throw new FormatException("template: unexpected EOF");
        }

        private void Range(ref int i, string clause, RegoValue dot, bool emit, int depth)
        {
            var assign = clause.IndexOf(":=", StringComparison.Ordinal);
            var names = assign < 0 ? [] : clause[..assign].Split(',', StringSplitOptions.TrimEntries);
            var collection = emit ? Value(assign < 0 ? clause : clause[(assign + 2)..].Trim(), dot) : null;
            var start = i + 1;
            var any = false;
            foreach (var (key, item) in Evaluation.Items.Of(collection))
            {
                any = true;
                var count = _variables.Count;
                if (names.Length > 1)
                    _variables.Add((names[0], key));
                if (names.Length > 0)
                    _variables.Add((names[^1], item));
                i = start;
                Block(ref i, item, emit: true, depth + 1);
                _variables.RemoveRange(count, _variables.Count - count);
            }

            if (!any)
            {
                i = start;
                Block(ref i, dot, emit: false, depth + 1);
            }

            Else(ref i, dot, emit && !any, depth, changesDot: false);
        }

        /// <summary>A field path, a variable, a literal, or the functions <c>not</c>, <c>len</c>, <c>eq</c> and <c>ne</c>.</summary>
        private RegoValue? Value(string text, RegoValue dot)
        {
            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["not", var operand]: return RegoValue.Of(!IsTrue(Operand(operand, dot)));
                case ["len", var operand]: return RegoNumber.FromInt64(Evaluation.Items.Of(Operand(operand, dot)).Count());
                case ["eq", var x, var y]: return RegoValue.Of(Operand(x, dot) == Operand(y, dot));
                case ["ne", var x, var y]: return RegoValue.Of(Operand(x, dot) != Operand(y, dot));
                case [_] or [['"', ..], ..]: return Operand(text, dot);
                default: throw new FormatException($"template: unsupported action {{{{{text}}}}}");
            }
        }

        private RegoValue? Operand(string text, RegoValue dot)
        {
            if (text == ".")
                return dot;
            if (text.StartsWith('.'))
                return Fields(dot, text[1..]);
            if (text.StartsWith('$'))
            {
                var end = text.IndexOf('.');
                var name = end < 0 ? text : text[..end];
                var index = _variables.FindLastIndex(v => v.Name == name);
                if (index < 0)
                    throw new FormatException($"template: undefined variable \"{name}\"");
                return end < 0 ? _variables[index].Value : _variables[index].Value is { } value ? Fields(value, text[(end + 1)..]) : null;
            }

            if (text is ['"', .., '"'] or ['`', .., '`'])
                return new RegoString(text[1..^1]);
            return text switch
            {
                "true" => RegoValue.True,
                "false" => RegoValue.False,
                _ => RegoNumber.TryParse(text) ?? throw new FormatException($"template: function \"{text}\" not defined"),
            };
        }

        private static RegoValue? Fields(RegoValue value, string path)
        {
            RegoValue? result = value;
            foreach (var name in path.Split('.'))
                result = result is null ? null : Evaluation.Documents.Get(result, new RegoString(name));
            return result;
        }

        private static bool IsTrue(RegoValue? value) => value switch
        {
            null or { Type: RegoType.Null } => false,
            RegoNumber n => !n.IsZero,
            RegoString s => s.Value.Length > 0,
            RegoArray or RegoObject or RegoSet => Evaluation.Items.Of(value).Any(),
            _ => value.IsTrue,
        };

        private string Shown(RegoValue? value)
        {
            context.Evaluation.Tick();
            return Text(value);
        }

        private string Text(RegoValue? value) => value switch
        {
            null => "<undefined>",
            RegoString s => s.Value,
            RegoArray a => $"[{string.Join(' ', a.Items.ToArray().Select(Shown))}]",
            RegoObject o => $"map[{string.Join(' ', Evaluation.Items.Of(o).Select(e => string.Create(CultureInfo.InvariantCulture, $"{Shown(e.Key)}:{Shown(e.Value)}")))}]",
            _ => value.ToString(),
        };

        private void Append(string text)
        {
            _text.Append(text);
            context.Evaluation.Charge(_text.Length * 2L);
        }
    }
}
