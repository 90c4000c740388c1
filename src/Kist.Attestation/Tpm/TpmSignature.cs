using System.Security.Cryptography;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>
/// TPMT_SIGNATURE (TPM 2.0 Library part 2 section 11.3.4): algorithm 2, hash 2, then RSA: size 2 and bytes; ECDSA: r and s,
/// each size 2 and bytes. Big-endian.
/// </summary>
/// <param name="Algorithm">RSASSA, RSAPSS or ECDSA.</param>
/// <param name="Hash">The hash of the scheme, which is also that of the quote's PCR digest.</param>
/// <param name="Value">RSA: the signature; ECDSA: r.</param>
/// <param name="S">ECDSA: s; empty for RSA.</param>
public sealed record TpmSignature(TpmAlgorithm Algorithm, TpmAlgorithm Hash, ReadOnlyMemory<byte> Value, ReadOnlyMemory<byte> S)
{
    private const string Structure = "TPMT_SIGNATURE";
    private const int SizeLimit = 2048;

    /// <summary>Reads a marshalled signature; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It is not one of the three algorithms, or does not follow its format.</exception>
    public static TpmSignature Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {bytes.Length} bytes, more than the limit of {SizeLimit}");
        var cursor = new SpanCursor(bytes, Structure);
        var algorithm = (TpmAlgorithm)cursor.ReadUInt16BigEndian();
        if (algorithm is not (TpmAlgorithm.RsaSsa or TpmAlgorithm.RsaPss or TpmAlgorithm.Ecdsa))
            throw cursor.Malformed($"signature algorithm 0x{(ushort)algorithm:x4} is none of RSASSA, RSAPSS and ECDSA");
        var hash = (TpmAlgorithm)cursor.ReadUInt16BigEndian();
        var first = TpmQuoteReader.ReadSized(ref cursor);
        var second = algorithm == TpmAlgorithm.Ecdsa ? TpmQuoteReader.ReadSized(ref cursor) : [];
        cursor.ExpectEnd();
        return new TpmSignature(algorithm, hash, first, second);
    }

    /// <summary>True if the key made this signature over the message. False too for SHA-1.</summary>
    internal bool Verify(PublicKey key, ReadOnlySpan<byte> message)
    {
        if (Hash.Hash() is not { } name)
            return false;
        Span<byte> digest = stackalloc byte[64];
        digest = digest[..CryptographicOperations.HashData(name, message, digest)];
        return Algorithm switch
        {
            TpmAlgorithm.RsaSsa => key.VerifyRsaHash(digest, Value.Span, name, RSASignaturePadding.Pkcs1),
            TpmAlgorithm.RsaPss => key.VerifyRsaHash(digest, Value.Span, name, RSASignaturePadding.Pss),
            _ => key.IsEc && VerifyEcdsa(key, digest),
        };
    }

    private bool VerifyEcdsa(PublicKey key, ReadOnlySpan<byte> digest)
    {
        // TPMs leave out leading zeros or not; the fixed-size form needs them.
        if (Value.Length > key.Size || S.Length > key.Size)
            return false;
        Span<byte> rs = stackalloc byte[2 * 66];
        rs = rs[..(2 * key.Size)];
        rs.Clear();
        Value.Span.CopyTo(rs[(key.Size - Value.Length)..]);
        S.Span.CopyTo(rs[(2 * key.Size - S.Length)..]);
        return key.VerifyEcdsaHash(digest, rs);
    }
}
