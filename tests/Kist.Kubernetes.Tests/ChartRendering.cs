using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Kist.Kubernetes.Tests;

/// <summary>
/// Renders the chart under deploy/chart, as far as its templates go: values, files, printf, quote, nindent, toYaml, and if of
/// one value. Anything else is an error, so that the chart cannot outgrow what is checked.
/// </summary>
sealed partial class ChartRendering(string chart, IReadOnlyDictionary<string, string>? set = null)
{
    private readonly object _values = new DeserializerBuilder().Build().Deserialize<object>(File.ReadAllText(Path.Combine(chart, "values.yaml")))!;

    /// <summary>All templates, one document behind the other.</summary>
    public string Render() => string.Join("\n---\n", Directory.GetFiles(Path.Combine(chart, "templates"), "*.yaml").Order(StringComparer.Ordinal).Select(f => Render(File.ReadAllText(f))).Where(t => t.Trim().Length > 0));

    private string Render(string template)
    {
        var text = new StringBuilder();
        var skipping = new Stack<bool>();
        var at = 0;
        foreach (Match action in Action().Matches(template))
        {
            var before = template[at..action.Index];
            at = action.Index + action.Length;
            Append(action.Groups["trim"].Length > 0 ? before.TrimEnd() : before);
            var body = action.Groups["body"].Value.Trim();
            if (body.StartsWith("if ", StringComparison.Ordinal))
                skipping.Push(Value(body[3..].Trim()) is not "true");
            else if (body == "end")
                skipping.Pop();
            else
                Append(Evaluate(body));
        }

        Append(template[at..]);
        return skipping.Count == 0 ? text.ToString() : throw new FormatException("an if has no end");

        void Append(string piece)
        {
            if (!skipping.Contains(true))
                text.Append(piece);
        }
    }

    private string Evaluate(string pipeline)
    {
        var stages = pipeline.Split('|', StringSplitOptions.TrimEntries);
        var value = First(stages[0]);
        foreach (var stage in stages[1..])
        {
            value = stage.Split(' ') switch
            {
                ["quote"] => $"\"{value}\"",
                ["nindent", var by] => "\n" + string.Join('\n', value.TrimEnd('\n').Split('\n').Select(l => new string(' ', int.Parse(by, CultureInfo.InvariantCulture)) + l)),
                _ => throw new FormatException($"{stage} is not known here"),
            };
        }

        return value;
    }

    private string First(string stage) => Words().Matches(stage).Select(m => m.Value).ToArray() switch
    {
        [var path] => Value(path),
        ["toYaml", var path] => new SerializerBuilder().Build().Serialize(Find(path)).TrimEnd('\n'),
        [".Files.Get", var file] => File.ReadAllText(Path.Combine(chart, file.Trim('"'))),
        ["printf", var format, .. var arguments] => arguments.Aggregate(format.Trim('"'), (text, path) =>
        {
            var at = text.IndexOf("%s", StringComparison.Ordinal);
            return text[..at] + Value(path) + text[(at + 2)..];
        }),
        _ => throw new FormatException($"{stage} is not known here"),
    };

    private string Value(string path) => set is not null && set.TryGetValue(path, out var given) ? given
        : Find(path) as string ?? throw new FormatException($"{path} is no single value");

    private object Find(string path)
    {
        var names = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        if (names[0] != "Values")
            throw new FormatException($"{path} is not known here");
        return names[1..].Aggregate(_values, (value, name) => ((IDictionary<object, object>)value)[name]);
    }

    [GeneratedRegex(@"\{\{(?<trim>-?)\s(?<body>.*?)\s\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Action();

    [GeneratedRegex("\"[^\"]*\"|\\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
