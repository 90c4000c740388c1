using Kist.Formats;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kist.Rego.Builtins;

/// <summary>YAML events to values.</summary>
sealed class YamlReading
{
    private const int MaxDepth = 256;

    /// <summary>The most nodes of a document once aliases are expanded.</summary>
    private const int MaxNodes = 1_000_000;

    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, (RegoValue Value, int Nodes)> _anchors = [];
    private readonly string _text;
    private int _nodes;
    private int _depth;
    private int _flowDepth;

    private YamlReading(Parser parser, string text) => (_parser, _text) = (parser, text);

    public static RegoValue Read(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            RegoValue? first = null;
            // The first document counts; those that follow must be well formed.
            while (!parser.Accept<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                var value = new YamlReading(parser, text).Node();
                parser.Consume<DocumentEnd>();
                first ??= value;
            }

            return first ?? RegoNull.Instance;
        }
        catch (YamlException e)
        {
            throw new MalformedDataException("YAML document", e.Start.Index, e.Message, e);
        }
    }

    private RegoValue Node()
    {
        if (++_depth > MaxDepth)
            throw new MalformedDataException("YAML document", -1, "it is nested too deeply");
        var before = Count(1);
        var e = _parser.Consume<ParsingEvent>();
        if (_flowDepth == 0)
            RefuseTabs(e);
        var isFlow = e is SequenceStart { Style: SequenceStyle.Flow } or MappingStart { Style: MappingStyle.Flow };
        _flowDepth += isFlow ? 1 : 0;
        RegoValue value;
        switch (e)
        {
            case AnchorAlias alias:
                if (!_anchors.TryGetValue(alias.Value, out var anchored))
                    throw new MalformedDataException("YAML document", alias.Start.Index, $"unknown anchor {alias.Value}");
                Count(anchored.Nodes);
                value = anchored.Value;
                break;
            case Scalar scalar:
                value = YamlScalars.Resolve(scalar);
                break;
            case SequenceStart:
                value = Sequence();
                break;
            case MappingStart:
                value = Mapping();
                break;
            default:
                throw new MalformedDataException("YAML document", e.Start.Index, "a node was expected");
        }

        if (e is NodeEvent { Anchor.IsEmpty: false } node)
            _anchors[node.Anchor] = (value, _nodes - before);
        _flowDepth -= isFlow ? 1 : 0;
        _depth--;
        return value;
    }

    /// <summary>Tabs indent nothing in blocks (YAML 1.1, 5.1), though the parser underneath lets them.</summary>
    private void RefuseTabs(ParsingEvent e)
    {
        var start = (int)Math.Min(e.Start.Index, _text.Length);
        var line = _text.LastIndexOf('\n', Math.Max(start - 1, 0), Math.Max(start, 0)) + 1;
        if (line < start && _text.AsSpan(line, start - line) is var indent && indent.Trim(" \t").IsEmpty && indent.Contains('\t'))
            throw new MalformedDataException("YAML document", start, "found a tab where a token should start");
    }

    private int Count(int nodes)
    {
        var before = _nodes;
        _nodes += nodes;
        return _nodes <= MaxNodes ? before : throw new MalformedDataException("YAML document", -1, "it expands to too many nodes");
    }

    private RegoArray Sequence()
    {
        var items = new List<RegoValue>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(Node());
        return RegoArray.From(items);
    }

    private RegoObject Mapping()
    {
        var result = new RegoObjectBuilder();
        var merged = new RegoObjectBuilder();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var isMerge = _parser.Accept<Scalar>(out var scalar) && scalar is { Value: "<<", Style: ScalarStyle.Plain };
            var key = Node();
            var value = Node();
            if (isMerge)
                Merge(merged, value);
            else
                result[key is RegoString ? key : new RegoString(JsonWriting.Write(key))] = value;
        }

        foreach (var (key, value) in Evaluation.Items.Of(result.ToObject()))
            merged[key] = value;
        return merged.ToObject();
    }

    private static void Merge(RegoObjectBuilder into, RegoValue value)
    {
        foreach (var source in value is RegoArray array ? array.Items.ToArray() : [value])
        {
            foreach (var (key, item) in Evaluation.Items.Of(source as RegoObject))
            {
                if (into.Get(key) is null)
                    into[key] = item;
            }
        }
    }
}
