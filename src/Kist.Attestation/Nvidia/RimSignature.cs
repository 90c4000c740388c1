using System.Security.Cryptography;
using System.Xml;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Nvidia;

/// <summary>
/// The enveloped XML signature of a reference manifest (W3C XML Signature 1.1): one reference to the whole document, Canonical XML
/// 1.1, SHA-384 and ECDSA on P-384, the signer's chain in KeyInfo. Whatever deviates from just this form is refused: a signature
/// that covers something else than the document that is read is how signed XML is forged.
/// </summary>
/// <param name="SignedInfo">Canonical bytes that the key signed.</param>
/// <param name="Value">r and s, 48 bytes each.</param>
/// <param name="IsDigestRight">True if the document is the one that was signed.</param>
/// <param name="Certificates">The signer's chain, leaf first.</param>
internal sealed record RimSignature(byte[] SignedInfo, byte[] Value, bool IsDigestRight, IReadOnlyList<Certificate> Certificates)
{
    private const string Structure = "NVIDIA RIM signature";
    private const string Dsig = "http://www.w3.org/2000/09/xmldsig#";
    private const string Canonical = "http://www.w3.org/2006/12/xml-c14n11";
    private const string Enveloped = Dsig + "enveloped-signature";
    private const string EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
    private const string Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
    private const int CertificateLimit = 8;

    /// <summary>True if the leaf's key made the signature over the document as it is.</summary>
    public bool Holds => IsDigestRight && Certificates[0].Key is { IsEc: true, Size: 48 } key && key.VerifyEcdsaHash(SHA384.HashData(SignedInfo), Value);

    /// <summary>Reads the signature of a document; null if it has none.</summary>
    /// <exception cref="MalformedDataException">It has a signature of another form, or several.</exception>
    public static RimSignature? Read(ReadOnlyMemory<byte> document)
    {
        try
        {
            var xml = Load(document);
            var root = xml.DocumentElement!;
            var signatures = root.GetElementsByTagName("Signature", Dsig);
            if (signatures.Count == 0)
                return null;
            var signature = signatures.Count == 1 && signatures[0]!.ParentNode == root ? (XmlElement)signatures[0]! : throw Malformed("there is not one signature, right below the root");
            return Read(root, signature);
        }
        catch (Exception e) when (e is XmlException or NotSupportedException or FormatException and not MalformedDataException)
        {
            throw new MalformedDataException(Structure, -1, "it is not XML of the expected form", e);
        }
    }

    private static RimSignature Read(XmlElement root, XmlElement signature)
    {
        // Nothing inside the signature is covered by it but this: an Object there could bring measurements that nobody signed.
        if (Elements(signature).Select(e => e.LocalName).SequenceEqual(["SignedInfo", "SignatureValue", "KeyInfo"]) is false
            || Elements(Child(signature, "KeyInfo")) is not [{ LocalName: "X509Data" } data] || Elements(data).Any(e => e.LocalName != "X509Certificate"))
        {
            throw Malformed("it holds more than SignedInfo, SignatureValue and certificates");
        }

        var info = Child(signature, "SignedInfo");
        var reference = Child(info, "Reference");
        RequireAlgorithm(Child(info, "CanonicalizationMethod"), Canonical);
        RequireAlgorithm(Child(info, "SignatureMethod"), EcdsaSha384);
        RequireAlgorithm(Child(reference, "DigestMethod"), Sha384);
        if (!reference.HasAttribute("URI") || reference.GetAttribute("URI").Length != 0)
            throw Malformed("its reference is not to the whole document");
        if (Elements(Child(reference, "Transforms")) is not [var first, var second])
            throw Malformed("there are other transforms than enveloped-signature and Canonical XML 1.1");
        RequireAlgorithm(first, Enveloped);
        RequireAlgorithm(second, Canonical);
        var digest = Convert.FromBase64String(Child(reference, "DigestValue").InnerText);
        var certificates = Elements(data);
        if (certificates.Count is 0 or > CertificateLimit)
            throw Malformed($"there are not 1 to {CertificateLimit} certificates");
        return new RimSignature(
            XmlCanonicalForm.Of(info, null),
            Convert.FromBase64String(Child(signature, "SignatureValue").InnerText),
            CryptographicOperations.FixedTimeEquals(SHA384.HashData(XmlCanonicalForm.Of(root, signature)), digest),
            [.. certificates.Select(c => Certificate.Parse(Convert.FromBase64String(c.InnerText)))]);
    }

    private static XmlDocument Load(ReadOnlyMemory<byte> document)
    {
        if (document.Length > NvidiaRim.SizeLimit)
            throw Malformed($"{document.Length} bytes are more than the limit of {NvidiaRim.SizeLimit}");
        using var reader = XmlReader.Create(new MemoryStream(document.ToArray()), new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = NvidiaRim.SizeLimit,
        });
        var xml = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        xml.Load(reader);
        return xml;
    }

    private static XmlElement Child(XmlElement parent, string name) =>
        Elements(parent).Where(e => e.LocalName == name).ToList() is [var only] ? only : throw Malformed($"{parent.LocalName} has not one {name}");

    private static List<XmlElement> Elements(XmlElement parent)
    {
        var elements = parent.ChildNodes.OfType<XmlElement>().ToList();
        return elements.All(e => e.NamespaceURI == Dsig) ? elements : throw Malformed($"{parent.LocalName} has elements of other namespaces");
    }

    private static void RequireAlgorithm(XmlElement element, string algorithm)
    {
        if (element.GetAttribute("Algorithm") != algorithm || element.ChildNodes.OfType<XmlElement>().Any())
            throw Malformed($"{element.LocalName} is {(element.GetAttribute("Algorithm") is { Length: > 0 and < 128 } a ? a : "missing")}, not {algorithm}");
    }

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
