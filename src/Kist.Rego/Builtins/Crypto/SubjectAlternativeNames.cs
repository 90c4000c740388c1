using System.Formats.Asn1;
using System.Net;

namespace Kist.Rego.Builtins;

/// <summary>The subjectAltName extension (RFC 5280, 4.2.1.6), by kind of name.</summary>
static class SubjectAlternativeNames
{
    public static (RegoValue Dns, RegoValue Email, RegoValue Addresses, RegoValue Uris) Read(byte[] der)
    {
        var (dns, email, addresses, uris) = (new List<RegoValue>(), new List<RegoValue>(), new List<RegoValue>(), new List<RegoValue>());
        try
        {
            var names = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                var tag = names.PeekTag();
                switch (tag.TagClass == TagClass.ContextSpecific ? tag.TagValue : -1)
                {
                    case 1: email.Add(Text(names, tag)); break;
                    case 2: dns.Add(Text(names, tag)); break;
                    case 6: uris.Add(Text(names, tag)); break;
                    case 7: addresses.Add(RegoValue.Of(new IPAddress(names.ReadOctetString(tag)).ToString())); break;
                    default: names.ReadEncodedValue(); break;
                }
            }
        }
        catch (AsnContentException e)
        {
            throw new FormatException("x509: invalid subject alternative names", e);
        }

        return (ListOf(dns), ListOf(email), ListOf(addresses), ListOf(uris));
    }

    private static RegoValue Text(AsnReader names, Asn1Tag tag) => RegoValue.Of(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));

    private static RegoValue ListOf(List<RegoValue> items) => items.Count == 0 ? RegoValue.Null : RegoArray.From(items);
}
