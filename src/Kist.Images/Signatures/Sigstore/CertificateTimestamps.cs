using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// The signed certificate timestamps inside a certificate (RFC 6962, section 3.3): the word of certificate logs that its issue
/// was made public. They sign the certificate as it was before they were put into it.
/// </summary>
static class CertificateTimestamps
{
    private const string Extension = "1.3.6.1.4.1.11129.2.4.2";
    private const int MaxTimestamps = 16;

    /// <summary>True if a trusted log has signed a timestamp of the certificate.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="issuer">The authority's certificate that issued it.</param>
    /// <param name="logs">The logs that are trusted.</param>
    /// <exception cref="MalformedDataException">The timestamps do not follow their format.</exception>
    public static bool Verify(X509Certificate2 certificate, X509Certificate2 issuer, IReadOnlyList<LogKey> logs)
    {
        if (certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == Extension) is not { } extension)
            return false;
        byte[] list, tbs;
        try
        {
            list = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadOctetString();
            tbs = WithoutTimestamps(certificate.RawDataMemory);
        }
        catch (AsnContentException e)
        {
            throw new MalformedDataException("certificate", -1, "its timestamps are damaged", e);
        }

        var issuerHash = SHA256.HashData(issuer.PublicKey.ExportSubjectPublicKeyInfo());
        var cursor = new SpanCursor(list, "certificate timestamps");
        if (cursor.ReadUInt16BigEndian() != cursor.Remaining)
            throw cursor.Malformed("the list's length is wrong");
        for (var i = 0; cursor.Remaining > 0 && i < MaxTimestamps; i++)
        {
            if (IsGood(cursor.ReadBytes(cursor.ReadUInt16BigEndian()), issuerHash, tbs, logs))
                return true;
        }

        return false;
    }

    // offset  size  field (RFC 6962, section 3.2)
    // 0       1     version, 0
    // 1       32    log's identifier
    // 33      8     timestamp, milliseconds since 1970
    // 41      2+n   extensions
    // …       1     hash, 4 (SHA-256)
    // …       1     signature algorithm, 3 (ECDSA)
    // …       2+n   signature
    private static bool IsGood(ReadOnlySpan<byte> timestamp, byte[] issuerHash, byte[] tbs, IReadOnlyList<LogKey> logs)
    {
        var cursor = new SpanCursor(timestamp, "certificate timestamp");
        if (cursor.ReadByte() != 0)
            return false;
        var id = cursor.ReadBytes(32).ToArray();
        var time = cursor.ReadBytes(8).ToArray();
        var extensions = cursor.ReadBytes(cursor.ReadUInt16BigEndian()).ToArray();
        if (cursor.ReadByte() != 4 || cursor.ReadByte() is not (1 or 3))
            return false;
        var signature = cursor.ReadBytes(cursor.ReadUInt16BigEndian());
        cursor.ExpectEnd();
        if (logs.FirstOrDefault(l => l.Id.AsSpan().SequenceEqual(id)) is not { } log
            || !log.IsValidAt(DateTimeOffset.UnixEpoch.AddMilliseconds(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(time))))
            return false;

        // Version, kind of signature, time; kind of entry 1 (a certificate before its timestamps); then the entry.
        byte[] signed =
        [
            0, 0, .. time, 0, 1, .. issuerHash, (byte)(tbs.Length >> 16), (byte)(tbs.Length >> 8), (byte)tbs.Length, .. tbs,
            (byte)(extensions.Length >> 8), (byte)extensions.Length, .. extensions,
        ];
        return log.Verify(signed, signature);
    }

    private static byte[] WithoutTimestamps(ReadOnlyMemory<byte> certificate)
    {
        var explicit3 = new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true);
        var body = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            while (body.HasData)
            {
                if (body.PeekTag() != explicit3)
                {
                    writer.WriteEncodedValue(body.ReadEncodedValue().Span);
                    continue;
                }

                var extensions = body.ReadSequence(explicit3).ReadSequence();
                using (writer.PushSequence(explicit3))
                using (writer.PushSequence())
                {
                    while (extensions.HasData)
                    {
                        var encoded = extensions.ReadEncodedValue();
                        if (new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() != Extension)
                            writer.WriteEncodedValue(encoded.Span);
                    }
                }
            }
        }

        return writer.Encode();
    }
}
