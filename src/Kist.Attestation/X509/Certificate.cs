using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>
/// An X.509 certificate, read from its raw DER (RFC 5280 §4.1); slices of the input are kept, so that signatures are
/// checked over the bytes as received. Immutable.
/// </summary>
internal sealed class Certificate
{
    private const int MaxExtensions = 64;
    private const int MaxSerialBytes = 32;

    private readonly Lazy<PublicKey?> _key;
    private readonly SignatureMemory _signature = new();

    private Certificate(ReadOnlyMemory<byte> raw, Fields fields)
    {
        Raw = raw;
        Tbs = fields.Tbs;
        Version = fields.Version;
        SerialNumber = fields.SerialNumber;
        Issuer = fields.Issuer;
        Subject = fields.Subject;
        NotBefore = fields.NotBefore;
        NotAfter = fields.NotAfter;
        SubjectPublicKeyInfo = fields.SubjectPublicKeyInfo;
        Extensions = fields.Extensions;
        Scheme = fields.Scheme;
        Signature = fields.Signature;
        foreach (var extension in Extensions)
            Interpret(extension);
        _key = new Lazy<PublicKey?>(() => PublicKey.Parse(SubjectPublicKeyInfo.Span));
    }

    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The signed part, as received.</summary>
    public ReadOnlyMemory<byte> Tbs { get; }

    /// <summary>1, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>The serial number's bytes without leading zeros.</summary>
    public ReadOnlyMemory<byte> SerialNumber { get; }

    /// <summary>DER of the issuer's name.</summary>
    public ReadOnlyMemory<byte> Issuer { get; }

    /// <summary>DER of the subject's name.</summary>
    public ReadOnlyMemory<byte> Subject { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    public IReadOnlyList<CertificateExtension> Extensions { get; }

    /// <summary>The algorithm of <see cref="Signature"/>.</summary>
    public SignatureScheme Scheme { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>True if basic constraints say that this is an authority.</summary>
    public bool IsCa { get; private set; }

    /// <summary>How many authorities may follow between this one and the end entity; null if unlimited.</summary>
    public int? PathLength { get; private set; }

    /// <summary>Key usage bits, first bit in the most significant place of 16; null if the extension is absent.</summary>
    public int? KeyUsage { get; private set; }

    /// <summary>The first critical extension that this reader does not understand, dotted; null if there is none.</summary>
    public string? UnknownCriticalExtension { get; private set; }

    /// <summary>The public key; null if it is of a kind that is not supported, or invalid.</summary>
    public PublicKey? Key => _key.Value;

    public string SubjectName => DistinguishedName.Format(Subject.Span);

    public string IssuerName => DistinguishedName.Format(Issuer.Span);

    public bool IsSelfIssued => Issuer.Span.SequenceEqual(Subject.Span);

    /// <summary>Reads one certificate; nothing may follow it.</summary>
    /// <exception cref="MalformedDataException">It is not a certificate in DER.</exception>
    public static Certificate Parse(ReadOnlyMemory<byte> der)
    {
        if (der.Length > EvidenceLimits.CertificateChain)
            throw new MalformedDataException("certificate", -1, $"{der.Length} bytes, more than the limit of {EvidenceLimits.CertificateChain}");
        var outer = new DerCursor(der.Span, "certificate");
        var certificate = outer.ReadSequence("Certificate");
        outer.ExpectEnd();
        var fields = new Fields();
        var start = certificate.Offset;
        var tbs = certificate.ReadEncoded(DerTag.Sequence, "tbsCertificate");
        fields.Tbs = der.Slice(start, tbs.Length);
        var algorithmStart = certificate.Offset;
        var algorithm = certificate.ReadEncoded(DerTag.Sequence, "signatureAlgorithm");
        fields.Scheme = SignatureSchemes.Read(new DerCursor(algorithm, "certificate", algorithmStart).ReadSequence("signatureAlgorithm"));
        var signature = certificate.ReadBitString("signatureValue");
        fields.Signature = der.Slice(certificate.ContentOffset, signature.Length);
        certificate.ExpectEnd();
        ReadTbs(new DerCursor(tbs, "certificate", start).ReadSequence("tbsCertificate"), der, algorithm, fields);
        return new Certificate(der, fields);
    }

    /// <summary>The extension with this identifier, or null.</summary>
    public CertificateExtension? Find(ReadOnlySpan<byte> id)
    {
        foreach (var extension in Extensions)
        {
            if (extension.Is(id))
                return extension;
        }

        return null;
    }

    /// <summary>
    /// True if <paramref name="issuer"/>'s key made this certificate's signature. Names are not compared. The answer for the last
    /// key is kept, since collateral's chains are checked again with every quote.
    /// </summary>
    public bool IsSignedBy(Certificate issuer) =>
        _signature.Check(issuer.SubjectPublicKeyInfo, () => issuer.Key is { } key && key.Verify(Scheme, Tbs.Span, Signature.Span));

    private static void ReadTbs(DerCursor tbs, ReadOnlyMemory<byte> der, ReadOnlySpan<byte> outerAlgorithm, Fields fields)
    {
        fields.Version = 1;
        if (tbs.PeekTag() == DerTag.Context(0))
        {
            var version = tbs.ReadConstructed(DerTag.Context(0), "version");
            fields.Version = version.ReadInt32("version", 2) + 1;
            version.ExpectEnd();
        }

        var serial = tbs.ReadUnsigned("serialNumber");
        if (serial.Length > MaxSerialBytes)
            throw tbs.Malformed($"serialNumber is {serial.Length} bytes, more than {MaxSerialBytes}");
        fields.SerialNumber = der.Slice(tbs.Offset - serial.Length, serial.Length);
        if (!tbs.ReadEncoded(DerTag.Sequence, "signature").SequenceEqual(outerAlgorithm))
            throw tbs.Malformed("the signature algorithm inside differs from the one outside");
        fields.Issuer = ReadSlice(ref tbs, der, "issuer");
        var validity = tbs.ReadSequence("validity");
        fields.NotBefore = validity.ReadTime("notBefore");
        fields.NotAfter = validity.ReadTime("notAfter");
        validity.ExpectEnd();
        fields.Subject = ReadSlice(ref tbs, der, "subject");
        fields.SubjectPublicKeyInfo = ReadSlice(ref tbs, der, "subjectPublicKeyInfo");
        PublicKey.CheckStructure(fields.SubjectPublicKeyInfo.Span);
        tbs.TryRead(DerTag.ContextPrimitive(1), "issuerUniqueID", out _);
        tbs.TryRead(DerTag.ContextPrimitive(2), "subjectUniqueID", out _);
        if (!tbs.IsEmpty)
        {
            if (fields.Version != 3)
                throw tbs.Malformed($"a certificate of version {fields.Version} cannot have extensions");
            fields.Extensions = CertificateExtension.ReadAll(
                tbs.ReadConstructed(DerTag.Context(3), "extensions"), der, MaxExtensions);
        }

        tbs.ExpectEnd();
    }

    private static ReadOnlyMemory<byte> ReadSlice(ref DerCursor cursor, ReadOnlyMemory<byte> der, string field)
    {
        var start = cursor.Offset;
        return der.Slice(start, cursor.ReadEncoded(DerTag.Sequence, field).Length);
    }

    private void Interpret(CertificateExtension extension)
    {
        var value = new DerCursor(extension.Value.Span, "certificate", extension.Offset);
        if (extension.Is(ObjectId.BasicConstraints))
        {
            var constraints = value.ReadSequence("basicConstraints");
            IsCa = constraints.PeekTag() == DerTag.Boolean && constraints.ReadBoolean("cA");
            if (!constraints.IsEmpty)
                PathLength = constraints.ReadInt32("pathLenConstraint", 255);
            constraints.ExpectEnd();
            value.ExpectEnd();
        }
        else if (extension.Is(ObjectId.KeyUsage))
        {
            var bits = value.Read(DerTag.BitString, "keyUsage");
            if (bits.Length is < 2 or > 3 || bits[0] > 7)
                throw value.Malformed("keyUsage is not a short bit string");
            KeyUsage = (bits[1] << 8) | (bits.Length == 3 ? bits[2] : 0);
            value.ExpectEnd();
        }
        else if (extension.IsCritical && !IsUnderstood(extension))
        {
            UnknownCriticalExtension ??= ObjectId.Format(extension.Id.Span);
        }
    }

    /// <summary>Extensions that may be critical and cannot change what is decided here about a device's chain.</summary>
    private static bool IsUnderstood(CertificateExtension extension) =>
        extension.Is(ObjectId.SubjectKeyIdentifier) || extension.Is(ObjectId.AuthorityKeyIdentifier)
        || extension.Is(ObjectId.SubjectAlternativeName) || extension.Is(ObjectId.ExtendedKeyUsage)
        || extension.Is(ObjectId.CertificatePolicies) || extension.Is(ObjectId.CrlDistributionPoints);

    private sealed class Fields
    {
        public ReadOnlyMemory<byte> Tbs;
        public int Version;
        public ReadOnlyMemory<byte> SerialNumber;
        public ReadOnlyMemory<byte> Issuer;
        public ReadOnlyMemory<byte> Subject;
        public DateTimeOffset NotBefore;
        public DateTimeOffset NotAfter;
        public ReadOnlyMemory<byte> SubjectPublicKeyInfo;
        public List<CertificateExtension> Extensions = [];
        public SignatureScheme Scheme;
        public ReadOnlyMemory<byte> Signature;
    }
}
