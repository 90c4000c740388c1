using System.Buffers;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Containers;

/// <summary>Evidence inside a certificate, as RA-TLS and its relatives send it in a TLS handshake.</summary>
/// <param name="Scheme">Whose form it is.</param>
/// <param name="Evidence">The evidence's bytes.</param>
/// <param name="SubjectPublicKeyInfo">The certificate's key, which the evidence must bind for the connection to mean anything.</param>
internal sealed record CertificateEvidence(string Scheme, ReadOnlyMemory<byte> Evidence, ReadOnlyMemory<byte> SubjectPublicKeyInfo)
{
    private const string TaggedEvidence = "2.23.133.5.4.9";
    private const string SubjectAlternativeName = "2.5.29.17";

    private static readonly SearchValues<byte> s_hexDigits = SearchValues.Create("0123456789abcdef"u8);

    private static readonly Dictionary<string, string> s_schemes = new(StringComparer.Ordinal)
    {
        [TaggedEvidence] = "TCG DICE tagged evidence",
        ["1.2.840.113741.1337.6"] = "RA-TLS of Gramine and RATS-TLS",
        ["0.6.9.42.840.113741.1337.6"] = "RA-TLS of Gramine",
        ["1.2.840.113741.1.13.1"] = "RA-TLS of Intel's SDK",
        ["1.2.840.113556.10.1.1"] = "Open Enclave",
        ["1.2.840.113556.10.1.2"] = "Open Enclave",
        ["1.3.6.1.4.1.62397.1.1"] = "dstack",
        ["1.3.6.1.4.1.62397.1.8"] = "dstack",
    };

    /// <summary>What a certificate in DER carries; null if it is none, or carries no evidence.</summary>
    public static CertificateEvidence? Find(ReadOnlyMemory<byte> der)
    {
        if (der.Length == 0 || der.Span[0] != DerTag.Sequence)
            return null;
        Certificate certificate;
        try
        {
            certificate = Certificate.Parse(der);
        }
        catch (MalformedDataException)
        {
            return null;
        }

        foreach (var extension in certificate.Extensions)
        {
            var id = ObjectId.Format(extension.Id.Span);
            var evidence = id == SubjectAlternativeName ? Document(extension.Value)
                : s_schemes.ContainsKey(id) ? Content(id, extension.Value)
                : default;
            if (!evidence.IsEmpty)
                return new(s_schemes.GetValueOrDefault(id, "Evervault"), evidence, certificate.SubjectPublicKeyInfo);
        }

        return null;
    }

    private static ReadOnlyMemory<byte> Content(string id, ReadOnlyMemory<byte> value)
    {
        value = WithoutOctetString(value);
        return id == TaggedEvidence ? Untag(value) : value;
    }

    /// <summary>Some put the bytes into an extension as they are, some inside an octet string of their own.</summary>
    internal static ReadOnlyMemory<byte> WithoutOctetString(ReadOnlyMemory<byte> value)
    {
        if (value.Length <= 2 || value.Span[0] != DerTag.OctetString)
            return value;
        try
        {
            var cursor = new DerCursor(value.Span, "certificate extension");
            var inner = cursor.Read(DerTag.OctetString, "evidence");
            return cursor.IsEmpty ? value[^inner.Length..] : value;
        }
        catch (MalformedDataException)
        {
            // Not one: the bytes are the evidence.
            return value;
        }
    }

    // Tagged evidence: a CBOR tag that says of what kind, and [ evidence, claims … ].
    private static ReadOnlyMemory<byte> Untag(ReadOnlyMemory<byte> value)
    {
        try
        {
            return CborInput.Read(value, "tagged evidence", reader =>
            {
                while (reader.PeekState() == CborReaderState.Tag)
                    reader.ReadTag();
                if (reader.PeekState() == CborReaderState.ByteString)
                    return reader.ReadByteString();
                byte[]? first = null;
                CborInput.ReadArray(reader, r =>
                {
                    if (first is null && r.PeekState() == CborReaderState.ByteString)
                        first = r.ReadByteString();
                    else
                        r.SkipValue();
                });
                return first ?? [];
            });
        }
        catch (MalformedDataException)
        {
            return default;
        }
    }

    // Evervault puts a Nitro document in hexadecimal before the host's name.
    private static ReadOnlyMemory<byte> Document(ReadOnlyMemory<byte> names)
    {
        var start = names.Span.IndexOf("8444a1013822"u8);
        if (start < 0)
            return default;
        var length = names.Span[start..].IndexOfAnyExcept(s_hexDigits);
        return length > 0 && length % 2 == 0 ? Convert.FromHexString(System.Text.Encoding.ASCII.GetString(names.Span.Slice(start, length))) : default;
    }
}
