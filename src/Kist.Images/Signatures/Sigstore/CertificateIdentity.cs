using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// Whom a signing certificate names: the alternative names of its subject, and the OpenID provider that vouched for them
/// (Fulcio's extensions 1.3.6.1.4.1.57264.1.8, or 1.1 in older certificates).
/// </summary>
/// <param name="Emails">rfc822Name.</param>
/// <param name="Uris">uniformResourceIdentifier.</param>
/// <param name="Hosts">dNSName.</param>
/// <param name="Others">Fulcio's otherName (1.3.6.1.4.1.57264.1.7).</param>
/// <param name="Issuer">The provider; null if it is not named.</param>
sealed record CertificateIdentity(IReadOnlyList<string> Emails, IReadOnlyList<string> Uris, IReadOnlyList<string> Hosts, IReadOnlyList<string> Others, string? Issuer)
{
    private const string AlternativeNames = "2.5.29.17", IssuerText = "1.3.6.1.4.1.57264.1.1", IssuerDer = "1.3.6.1.4.1.57264.1.8", OtherName = "1.3.6.1.4.1.57264.1.7";

    /// <summary>True if one of the names is this.</summary>
    public bool Has(string subject) => Emails.Concat(Uris).Concat(Others).Contains(subject, StringComparer.Ordinal);

    /// <summary>Reads a certificate's.</summary>
    public static CertificateIdentity Of(X509Certificate2 certificate)
    {
        var names = new Dictionary<int, List<string>>();
        try
        {
            if (Find(certificate, AlternativeNames) is { } encoded)
                ReadNames(new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence(), names);
            var issuer = Find(certificate, IssuerDer) is { } der ? new AsnReader(der, AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.UTF8String)
                : Find(certificate, IssuerText) is { } text ? Encoding.UTF8.GetString(text)
                : null;
            List<string> Of(int tag) => names.GetValueOrDefault(tag) ?? [];
            return new CertificateIdentity(Of(1), Of(6), Of(2), Of(0), issuer);
        }
        catch (AsnContentException e)
        {
            throw new MalformedDataException("certificate", -1, "its names are damaged", e);
        }
    }

    // GeneralName (RFC 5280, section 4.2.1.6).
    private static void ReadNames(AsnReader list, Dictionary<int, List<string>> names)
    {
        while (list.HasData)
        {
            var tag = list.PeekTag();
            if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue is 1 or 2 or 6)
            {
                Add(names, tag.TagValue, list.ReadCharacterString(UniversalTagNumber.IA5String, new Asn1Tag(TagClass.ContextSpecific, tag.TagValue)));
            }
            else if (tag.HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                var other = list.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true));
                if (other.ReadObjectIdentifier() == OtherName)
                    Add(names, 0, other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)).ReadCharacterString(UniversalTagNumber.UTF8String));
            }
            else
            {
                list.ReadEncodedValue();
            }
        }
    }

    private static void Add(Dictionary<int, List<string>> names, int tag, string name)
    {
        if (!names.TryGetValue(tag, out var list))
            names[tag] = list = [];
        list.Add(name);
    }

    private static byte[]? Find(X509Certificate2 certificate, string oid) => certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == oid)?.RawData;
}
