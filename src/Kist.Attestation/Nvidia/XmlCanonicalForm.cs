using System.Text;
using System.Xml;

namespace Kist.Attestation.Nvidia;

/// <summary>
/// Canonical XML 1.1 without comments (W3C Recommendation of 2 May 2008) of a whole element, for the documents that signatures of
/// reference manifests cover: no document type, no processing instructions, no xml: attributes. Anything else is refused rather than
/// canonicalised wrongly.
/// </summary>
internal static class XmlCanonicalForm
{
    private const string Xmlns = "http://www.w3.org/2000/xmlns/";

    /// <summary>The canonical bytes of an element.</summary>
    /// <param name="element">The element.</param>
    /// <param name="without">An element inside it that is left out (an enveloped signature); null for none.</param>
    /// <exception cref="NotSupportedException">The document has something that is not canonicalised here.</exception>
    public static byte[] Of(XmlElement element, XmlElement? without)
    {
        var text = new StringBuilder();
        // An element inside a document is canonicalised with the namespaces that it inherits.
        Write(element, without, new Dictionary<string, string>(StringComparer.Ordinal) { [""] = "" }, text, isApex: true);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(XmlElement element, XmlElement? without, Dictionary<string, string> rendered, StringBuilder text, bool isApex)
    {
        text.Append('<').Append(element.Name);
        var scope = WriteNamespaces(element, rendered, text, isApex);
        WriteAttributes(element, text);
        text.Append('>');
        for (var child = element.FirstChild; child is not null; child = child.NextSibling)
        {
            switch (child)
            {
                case XmlElement inner when inner != without:
                    Write(inner, without, scope, text, isApex: false);
                    break;
                case XmlText or XmlWhitespace or XmlSignificantWhitespace or XmlCDataSection:
                    Escape(child.Value!, text, isAttribute: false);
                    break;
                case XmlElement or XmlComment:
                    break;
                default:
                    throw new NotSupportedException($"{child.NodeType} is not canonicalised here");
            }
        }

        text.Append("</").Append(element.Name).Append('>');
    }

    /// <summary>Namespace declarations, sorted by prefix, that are not in force in the output already.</summary>
    private static Dictionary<string, string> WriteNamespaces(XmlElement element, Dictionary<string, string> rendered, StringBuilder text, bool isApex)
    {
        var declared = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (XmlNode? at = element; at is XmlElement holder; at = isApex ? at.ParentNode : null)
        {
            foreach (XmlAttribute attribute in holder.Attributes)
            {
                if (attribute.NamespaceURI == Xmlns)
                    declared.TryAdd(attribute.Prefix.Length == 0 ? "" : attribute.LocalName, attribute.Value);
            }
        }

        var scope = new Dictionary<string, string>(rendered, StringComparer.Ordinal);
        foreach (var (prefix, uri) in declared)
        {
            if (rendered.TryGetValue(prefix, out var known) && known == uri)
                continue;
            scope[prefix] = uri;
            text.Append(prefix.Length == 0 ? " xmlns" : $" xmlns:{prefix}").Append("=\"");
            Escape(uri, text, isAttribute: true);
            text.Append('"');
        }

        return scope;
    }

    // By namespace first, then by local name; those without a namespace come first.
    private static void WriteAttributes(XmlElement element, StringBuilder text)
    {
        var attributes = element.Attributes.Cast<XmlAttribute>().Where(a => a.NamespaceURI != Xmlns)
            .OrderBy(a => a.NamespaceURI, StringComparer.Ordinal).ThenBy(a => a.LocalName, StringComparer.Ordinal);
        foreach (var attribute in attributes)
        {
            if (attribute.Prefix == "xml")
                throw new NotSupportedException("attributes of xml: are not canonicalised here");
            text.Append(' ').Append(attribute.Name).Append("=\"");
            Escape(attribute.Value, text, isAttribute: true);
            text.Append('"');
        }
    }

    private static void Escape(string value, StringBuilder text, bool isAttribute)
    {
        foreach (var c in value)
        {
            text = (c, isAttribute) switch
            {
                ('&', _) => text.Append("&amp;"),
                ('<', _) => text.Append("&lt;"),
                ('>', false) => text.Append("&gt;"),
                ('"', true) => text.Append("&quot;"),
                ('\t', true) => text.Append("&#x9;"),
                ('\n', true) => text.Append("&#xA;"),
                ('\r', _) => text.Append("&#xD;"),
                _ => text.Append(c),
            };
        }
    }
}
