using System.Text;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>Names of certificates for people to read. Nothing is decided by this text.</summary>
internal static class DistinguishedName
{
    /// <summary>"CN=…, O=…" from the DER of a Name; "(unreadable name)" if it does not follow its format.</summary>
    public static string Format(ReadOnlySpan<byte> name)
    {
        try
        {
            var parts = new List<string>();
            var outer = new DerCursor(name, "name");
            var sequence = outer.ReadSequence("name");
            while (!sequence.IsEmpty)
            {
                var set = sequence.ReadConstructed(DerTag.Set, "relative name");
                while (!set.IsEmpty)
                    parts.Add(FormatAttribute(set.ReadSequence("attribute")));
            }

            return string.Join(", ", parts);
        }
        catch (MalformedDataException)
        {
            return "(unreadable name)";
        }
    }

    /// <summary>The common name, or the whole name where there is none.</summary>
    public static string CommonName(ReadOnlySpan<byte> name)
    {
        var text = Format(name);
        foreach (var part in text.Split(", "))
        {
            if (part.StartsWith("CN=", StringComparison.Ordinal))
                return part[3..];
        }

        return text;
    }

    private static string FormatAttribute(DerCursor attribute)
    {
        var id = attribute.Read(DerTag.ObjectIdentifier, "attribute type");
        var tag = attribute.PeekTag();
        var value = attribute.Read(tag, "attribute value");
        var text = tag == DerTag.BmpString ? Encoding.BigEndianUnicode.GetString(value) : Encoding.UTF8.GetString(value);
        return $"{KeyOf(id)}={text}";
    }

    private static string KeyOf(ReadOnlySpan<byte> id) => id is [0x55, 0x04, var type]
        ? type switch { 3 => "CN", 5 => "serialNumber", 6 => "C", 7 => "L", 8 => "ST", 10 => "O", 11 => "OU", _ => ObjectId.Format(id) }
        : ObjectId.Format(id);
}
