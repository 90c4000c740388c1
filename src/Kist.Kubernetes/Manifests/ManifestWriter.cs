using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kist.Kubernetes;

/// <summary>Nodes to YAML: the same text for the same nodes. Comments are not kept.</summary>
public static class ManifestWriter
{
    /// <summary>Writes documents one after the other.</summary>
    public static string Write(IReadOnlyList<MapNode> documents)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(writer, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
        emitter.Emit(new StreamStart());
        for (var i = 0; i < documents.Count; i++)
        {
            emitter.Emit(new DocumentStart(null, null, isImplicit: i == 0));
            Emit(emitter, documents[i]);
            emitter.Emit(new DocumentEnd(isImplicit: true));
        }

        emitter.Emit(new StreamEnd());
        return writer.ToString();
    }

    private static void Emit(Emitter emitter, ManifestNode node)
    {
        switch (node)
        {
            case ScalarNode scalar:
                emitter.Emit(Scalar(scalar.Text, scalar.IsQuoted));
                break;
            case ListNode list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, list.Items.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list.Items)
                    Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case MapNode map:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, map.Entries.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, value) in map.Entries)
                {
                    emitter.Emit(Scalar(name, ScalarTypes.IsNoString(name)));
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
        }
    }

    private static Scalar Scalar(string text, bool isQuoted)
    {
        var style = !isQuoted ? ScalarStyle.Plain
            : text.Contains('\n', StringComparison.Ordinal) && !text.Any(c => char.IsControl(c) && c != '\n') && !text.Contains(" \n", StringComparison.Ordinal) && text[0] is not (' ' or '\n')
                ? ScalarStyle.Literal
                : ScalarStyle.DoubleQuoted;
        return new Scalar(AnchorName.Empty, TagName.Empty, text, style, isPlainImplicit: !isQuoted, isQuotedImplicit: isQuoted);
    }
}
