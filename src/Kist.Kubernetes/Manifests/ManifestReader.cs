using Kist.Formats;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kist.Kubernetes;

/// <summary>
/// YAML (and so JSON) to nodes. What kubectl would read otherwise than a person is refused: names given twice, merge keys,
/// and names that are no strings.
/// </summary>
public sealed class ManifestReader
{
    /// <summary>The longest text in characters.</summary>
    public const int MaxLength = 8 << 20;

    private const int MaxDepth = 64, MaxNodes = 500_000;

    private readonly string _source;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, ManifestNode> _anchors = [];
    private int _nodes, _depth;

    private ManifestReader(string source, Parser parser) => (_source, _parser) = (source, parser);

    /// <summary>Every document of a text that is not empty.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Its name, for messages.</param>
    /// <exception cref="MalformedDataException">It is no YAML, or is ambiguous.</exception>
    public static IReadOnlyList<MapNode> Read(string text, string source)
    {
        if (text.Length > MaxLength)
            throw new MalformedDataException(source, MaxLength, $"it is longer than {MaxLength} characters");
        var documents = new List<MapNode>();
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            while (!parser.Accept<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                var node = new ManifestReader(source, parser).Node();
                parser.Consume<DocumentEnd>();
                if (node is MapNode map)
                    documents.Add(map);
                else if (node is not ScalarNode { IsQuoted: false, Text: "" or "~" or "null" })
                    throw new MalformedDataException(source, -1, $"line {node.Line}: a document is an object");
            }
        }
        catch (YamlException e)
        {
            throw new MalformedDataException(source, -1, $"line {e.Start.Line}: {e.Message}", e);
        }

        return documents;
    }

    private ManifestNode Node()
    {
        if (++_depth > MaxDepth)
            throw Malformed(_parser.Current!, "it is nested too deeply");
        if (++_nodes > MaxNodes)
            throw Malformed(_parser.Current!, $"it has more than {MaxNodes} nodes");
        var e = _parser.Consume<ParsingEvent>();
        var line = (int)e.Start.Line;
        ManifestNode node = e switch
        {
            AnchorAlias alias => _anchors.GetValueOrDefault(alias.Value) ?? throw Malformed(e, $"there is no anchor {alias.Value}"),
            Scalar scalar => new ScalarNode(scalar.Value, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any), line),
            SequenceStart => new ListNode(Items(), line),
            MappingStart => new MapNode(Entries(), line),
            _ => throw Malformed(e, "a value was expected"),
        };
        if (e is not AnchorAlias && e is NodeEvent { Anchor.IsEmpty: false } anchored)
            _anchors[anchored.Anchor] = node;
        if (e is AnchorAlias && (_nodes += Size(node)) > MaxNodes)
            throw Malformed(e, "its aliases expand to too many nodes");
        _depth--;
        return node;
    }

    private List<ManifestNode> Items()
    {
        var items = new List<ManifestNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(Node());
        return items;
    }

    private List<KeyValuePair<string, ManifestNode>> Entries()
    {
        var entries = new List<KeyValuePair<string, ManifestNode>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!;
            if (Node() is not ScalarNode name)
                throw Malformed(at, "a name is a string");
            if (name is { Text: "<<", IsQuoted: false })
                throw Malformed(at, "merge keys are not read: write the fields out");
            if (!names.Add(name.Text))
                throw Malformed(at, $"\"{name.Text}\" is given twice");
            entries.Add(KeyValuePair.Create(name.Text, Node()));
        }

        return entries;
    }

    private static int Size(ManifestNode node) => node switch
    {
        ListNode list => 1 + list.Items.Sum(Size),
        MapNode map => 1 + map.Entries.Sum(e => 1 + Size(e.Value)),
        _ => 1,
    };

    private MalformedDataException Malformed(ParsingEvent e, string reason) => new(_source, -1, $"line {e.Start.Line}: {reason}");
}
