namespace Kist.Attestation.X509;

/// <summary>An extension of a certificate or CRL (RFC 5280 §4.1.2.9).</summary>
/// <param name="Id">Contents of the object identifier.</param>
/// <param name="IsCritical">Whether whoever does not understand it must refuse the certificate.</param>
/// <param name="Value">Contents of the octet string: DER of the extension's own type.</param>
/// <param name="Offset">Offset of <paramref name="Value"/> in the certificate.</param>
internal readonly record struct CertificateExtension(ReadOnlyMemory<byte> Id, bool IsCritical, ReadOnlyMemory<byte> Value, int Offset)
{
    public bool Is(ReadOnlySpan<byte> id) => Id.Span.SequenceEqual(id);

    /// <summary>Reads Extensions from inside its explicit tag. Refuses an extension that occurs twice.</summary>
    public static List<CertificateExtension> ReadAll(DerCursor tagged, ReadOnlyMemory<byte> whole, int maximum)
    {
        var list = new List<CertificateExtension>();
        var sequence = tagged.ReadSequence("extensions");
        tagged.ExpectEnd();
        while (!sequence.IsEmpty)
        {
            if (list.Count == maximum)
                throw sequence.Malformed($"there are more than {maximum} extensions");
            var extension = sequence.ReadSequence("extension");
            var id = extension.Read(DerTag.ObjectIdentifier, "extnID");
            var idMemory = whole.Slice(extension.ContentOffset, id.Length);
            var critical = extension.PeekTag() == DerTag.Boolean && extension.ReadBoolean("critical");
            var value = extension.Read(DerTag.OctetString, "extnValue");
            var offset = extension.ContentOffset;
            extension.ExpectEnd();
            foreach (var earlier in list)
            {
                if (earlier.Is(id))
                    throw sequence.Malformed($"extension {ObjectId.Format(id)} occurs twice");
            }

            list.Add(new CertificateExtension(idMemory, critical, whole.Slice(offset, value.Length), offset));
        }

        return list;
    }
}
