using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>A CRL, read from its raw DER (RFC 5280 §5.1). Immutable.</summary>
internal sealed class CertificateRevocationList
{
    private const int MaxExtensions = 16;

    private readonly SignatureMemory _signature = new();
    private readonly HashSet<string> _revoked = new(StringComparer.Ordinal);

    private CertificateRevocationList(ReadOnlyMemory<byte> tbs, SignatureScheme scheme, ReadOnlyMemory<byte> signature)
    {
        Tbs = tbs;
        Scheme = scheme;
        Signature = signature;
    }

    /// <summary>The signed part, as received.</summary>
    public ReadOnlyMemory<byte> Tbs { get; }

    public SignatureScheme Scheme { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>DER of the issuer's name.</summary>
    public ReadOnlyMemory<byte> Issuer { get; private set; }

    public DateTimeOffset ThisUpdate { get; private set; }

    /// <summary>When a newer one is due; null if the issuer does not say.</summary>
    public DateTimeOffset? NextUpdate { get; private set; }

    /// <summary>The CRL number; null if there is none, or it does not fit.</summary>
    public int? Number { get; private set; }

    /// <summary>A critical extension that is not understood (a partial or indirect CRL), dotted; null if there is none.</summary>
    public string? UnknownCriticalExtension { get; private set; }

    public int Count => _revoked.Count;

    public string IssuerName => DistinguishedName.Format(Issuer.Span);

    /// <summary>Reads one CRL in DER or PEM; nothing may follow it.</summary>
    /// <exception cref="MalformedDataException">It is not a CRL.</exception>
    public static CertificateRevocationList Parse(ReadOnlyMemory<byte> data)
    {
        if (data.Length > EvidenceLimits.Crl)
            throw new MalformedDataException("CRL", -1, $"{data.Length} bytes, more than the limit of {EvidenceLimits.Crl}");
        var der = PemReader.IsPem(data.Span) ? PemReader.ReadSingle(data.Span, "X509 CRL") : data;
        var outer = new DerCursor(der.Span, "CRL");
        var list = outer.ReadSequence("CertificateList");
        outer.ExpectEnd();
        var start = list.Offset;
        var tbs = list.ReadEncoded(DerTag.Sequence, "tbsCertList");
        var algorithmStart = list.Offset;
        var algorithm = list.ReadEncoded(DerTag.Sequence, "signatureAlgorithm");
        var scheme = SignatureSchemes.Read(new DerCursor(algorithm, "CRL", algorithmStart).ReadSequence("signatureAlgorithm"));
        var signature = list.ReadBitString("signatureValue");
        var crl = new CertificateRevocationList(
            der.Slice(start, tbs.Length), scheme, der.Slice(list.ContentOffset, signature.Length));
        list.ExpectEnd();
        crl.ReadTbs(new DerCursor(tbs, "CRL", start).ReadSequence("tbsCertList"), der, algorithm);
        return crl;
    }

    /// <summary>True if the serial number (without leading zeros) is on the list.</summary>
    public bool IsRevoked(ReadOnlySpan<byte> serialNumber) => _revoked.Contains(Convert.ToHexString(serialNumber));

    /// <summary>True if <paramref name="issuer"/>'s key made the CRL's signature. The answer for the last key is kept.</summary>
    public bool IsSignedBy(Certificate issuer) =>
        _signature.Check(issuer.SubjectPublicKeyInfo, () => issuer.Key is { } key && key.Verify(Scheme, Tbs.Span, Signature.Span));

    private void ReadTbs(DerCursor tbs, ReadOnlyMemory<byte> der, ReadOnlySpan<byte> outerAlgorithm)
    {
        var version = tbs.PeekTag() == DerTag.Integer ? tbs.ReadInt32("version", 1) + 1 : 1;
        if (!tbs.ReadEncoded(DerTag.Sequence, "signature").SequenceEqual(outerAlgorithm))
            throw tbs.Malformed("the signature algorithm inside differs from the one outside");
        var issuerStart = tbs.Offset;
        Issuer = der.Slice(issuerStart, tbs.ReadEncoded(DerTag.Sequence, "issuer").Length);
        ThisUpdate = tbs.ReadTime("thisUpdate");
        if (tbs.PeekTag() is DerTag.UtcTime or DerTag.GeneralizedTime)
            NextUpdate = tbs.ReadTime("nextUpdate");
        if (tbs.PeekTag() == DerTag.Sequence)
            ReadEntries(tbs.ReadSequence("revokedCertificates"), der);
        if (!tbs.IsEmpty)
        {
            if (version != 2)
                throw tbs.Malformed("a CRL of version 1 cannot have extensions");
            foreach (var extension in CertificateExtension.ReadAll(
                tbs.ReadConstructed(DerTag.Context(0), "crlExtensions"), der, MaxExtensions))
            {
                Interpret(extension);
            }
        }

        tbs.ExpectEnd();
    }

    private void ReadEntries(DerCursor entries, ReadOnlyMemory<byte> der)
    {
        while (!entries.IsEmpty)
        {
            var entry = entries.ReadSequence("revoked certificate");
            _revoked.Add(Convert.ToHexString(entry.ReadUnsigned("userCertificate")));
            entry.ReadTime("revocationDate");
            if (entry.IsEmpty)
                continue;
            var extensions = entry.ReadSequence("crlEntryExtensions");
            entry.ExpectEnd();
            while (!extensions.IsEmpty)
            {
                var extension = extensions.ReadSequence("extension");
                var id = extension.Read(DerTag.ObjectIdentifier, "extnID");
                if (extension.PeekTag() == DerTag.Boolean && extension.ReadBoolean("critical") && !id.SequenceEqual(ObjectId.CrlReason))
                    UnknownCriticalExtension ??= ObjectId.Format(id);
                extension.Read(DerTag.OctetString, "extnValue");
                extension.ExpectEnd();
            }
        }
    }

    private void Interpret(CertificateExtension extension)
    {
        if (extension.Is(ObjectId.CrlNumber))
        {
            var value = new DerCursor(extension.Value.Span, "CRL", extension.Offset);
            var number = value.ReadUnsigned("cRLNumber");
            value.ExpectEnd();
            if (number.Length < 4)
            {
                var total = 0;
                foreach (var b in number)
                    total = (total << 8) | b;
                Number = total;
            }
        }
        else if (extension.IsCritical && !extension.Is(ObjectId.AuthorityKeyIdentifier))
        {
            UnknownCriticalExtension ??= ObjectId.Format(extension.Id.Span);
        }
    }
}
