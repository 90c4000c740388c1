using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kist.Measurement.Snp;

/// <summary>
/// The identity authentication structure: signatures over the identity block and over the key that signed it.
/// <code>
///    0    4 ID_KEY_ALGO 1 (ECDSA P-384 with SHA-384)     4    4 AUTH_KEY_ALGO 1        8   56 zero
///   64  512 ID_BLOCK_SIG      576 1028 ID_KEY         1604   60 zero
/// 1664  512 ID_KEY_SIG       2176 1028 AUTHOR_KEY     3204  892 zero                        SNP ABI, table 76
/// signature   0 72 R, little-endian     72 72 S     144 368 zero
/// key         0  4 curve 2 (P-384)       4 72 QX     76  72 QY     148 880 zero
/// </code>
/// </summary>
public static class SnpIdAuthentication
{
    /// <summary>Bytes of the structure.</summary>
    public const int Size = 4096;

    private const int KeySize = 1028;
    private const int IdBlockSignature = 64;
    private const int IdKey = 576;
    private const int IdKeySignature = 1664;
    private const int AuthorKey = 2176;

    /// <summary>Signs an identity block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="idKey">The guest owner's key for this guest, P-384.</param>
    /// <param name="authorKey">The key that vouches for it, P-384; null for none.</param>
    public static byte[] Sign(SnpIdBlock block, ECDsa idKey, ECDsa? authorKey)
    {
        var structure = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(structure, 1);
        WriteKey(structure.AsSpan(IdKey), idKey);
        WriteSignature(structure.AsSpan(IdBlockSignature), idKey.SignData(block.Write(), HashAlgorithmName.SHA384));
        if (authorKey is null)
            return structure;
        BinaryPrimitives.WriteUInt32LittleEndian(structure.AsSpan(4), 1);
        WriteKey(structure.AsSpan(AuthorKey), authorKey);
        WriteSignature(structure.AsSpan(IdKeySignature), authorKey.SignData(structure.AsSpan(IdKey, KeySize), HashAlgorithmName.SHA384));
        return structure;
    }

    /// <summary>The digest of a public key as the attestation report shows it (ID_KEY_DIGEST, AUTHOR_KEY_DIGEST).</summary>
    public static HashValue KeyDigest(ECDsa key)
    {
        var structure = new byte[KeySize];
        WriteKey(structure, key);
        return HashValue.Sha384(structure);
    }

    private static void WriteKey(Span<byte> field, ECDsa key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        if (parameters.Q.X is not { Length: 48 } x)
            throw new ArgumentException("the key must be on P-384", nameof(key));
        BinaryPrimitives.WriteUInt32LittleEndian(field, 2);
        WriteReversed(field[4..], x);
        WriteReversed(field[76..], parameters.Q.Y!);
    }

    private static void WriteSignature(Span<byte> field, byte[] signature)
    {
        WriteReversed(field, signature.AsSpan(0, 48));
        WriteReversed(field[72..], signature.AsSpan(48));
    }

    private static void WriteReversed(Span<byte> field, ReadOnlySpan<byte> bigEndian)
    {
        bigEndian.CopyTo(field);
        field[..bigEndian.Length].Reverse();
    }
}
