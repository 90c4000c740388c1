using System.Formats.Cbor;
using System.Security.Cryptography;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Cose;

/// <summary>
/// COSE_Sign1 (RFC 9052 section 4.2): [protected, unprotected, payload, signature], with or without tag 18. The signature
/// is checked over the protected header and payload as received.
/// </summary>
internal sealed class CoseSign1
{
    public const string Spec = "RFC 9052 section 4.4";

    private const int AlgorithmLabel = 1;
    private const string Structure = "COSE_Sign1";

    private CoseSign1(byte[] protectedHeader, CoseHeaders headers, byte[] payload, byte[] signature)
    {
        ProtectedHeader = protectedHeader;
        Headers = headers;
        Payload = payload;
        Signature = signature;
    }

    /// <summary>The protected header's bytes, inside their byte string.</summary>
    public ReadOnlyMemory<byte> ProtectedHeader { get; }

    public CoseHeaders Headers { get; }

    public ReadOnlyMemory<byte> Payload { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>alg (label 1) of the protected header: -7 ES256, -35 ES384, -36 ES512, -37 PS256 …</summary>
    public long Algorithm => Headers.Algorithm;

    /// <summary>Reads one message; bytes after its end are refused.</summary>
    public static CoseSign1 Parse(ReadOnlyMemory<byte> bytes) => CborInput.Read(bytes, Structure, Read);

    /// <summary>True if the key made this signature with the algorithm that the protected header names.</summary>
    public bool Verify(PublicKey key)
    {
        HashAlgorithmName? hash = Algorithm switch
        {
            -7 or -37 => HashAlgorithmName.SHA256,
            -35 or -38 => HashAlgorithmName.SHA384,
            -36 or -39 => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (hash is not { } name)
            return false;
        var digest = new byte[64];
        var size = CryptographicOperations.HashData(name, ToBeSigned(), digest);
        return Algorithm is -7 or -35 or -36
            ? key.IsEc && key.VerifyEcdsaHash(digest.AsSpan(0, size), Signature.Span)
            : !key.IsEc && key.VerifyRsaHash(digest.AsSpan(0, size), Signature.Span, name, RSASignaturePadding.Pss);
    }

    /// <summary>The algorithm's name for people.</summary>
    public string AlgorithmName => Algorithm switch
    {
        -7 => "ES256",
        -35 => "ES384",
        -36 => "ES512",
        -37 => "PS256",
        -38 => "PS384",
        -39 => "PS512",
        0 => "none",
        _ => $"algorithm {Algorithm}",
    };

    private static CoseSign1 Read(CborReader reader)
    {
        if (reader.PeekState() == CborReaderState.Tag && (ulong)reader.ReadTag() != 18)
            throw new MalformedDataException(Structure, 0, "it has another tag than 18");
        reader.ReadStartArray();
        var protectedHeader = reader.ReadByteString();
        // Nobody signs the unprotected header, so nothing in it is used.
        CborInput.ReadMap(reader, r =>
        {
            CborInput.ReadKey(r);
            r.SkipValue();
        });
        var payload = CborInput.ReadOptionalBytes(reader)
            ?? throw new MalformedDataException(Structure, -1, "its payload is detached");
        var signature = reader.ReadByteString();
        reader.ReadEndArray();
        var headers = protectedHeader.Length == 0
            ? CoseHeaders.None
            : CborInput.Read(protectedHeader, "COSE protected header", r => CoseHeaders.Read(r, AlgorithmLabel));
        return new CoseSign1(protectedHeader, headers, payload, signature);
    }

    // Sig_structure of section 4.4, without external data.
    private byte[] ToBeSigned()
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartArray(4);
        writer.WriteTextString("Signature1");
        writer.WriteByteString(ProtectedHeader.Span);
        writer.WriteByteString([]);
        writer.WriteByteString(Payload.Span);
        writer.WriteEndArray();
        return writer.Encode();
    }
}
