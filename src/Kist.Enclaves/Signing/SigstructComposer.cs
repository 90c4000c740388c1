using System.Numerics;
using System.Security.Cryptography;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Signing;

/// <summary>
/// Makes SIGSTRUCTs, in one step with a signer at hand, or in two for a key that is kept elsewhere: the material to sign
/// goes out, the signature comes back.
/// </summary>
public static class SigstructComposer
{
    /// <summary>Signs <paramref name="fields"/>.</summary>
    /// <exception cref="OperationFailedException">The signer returned something that its own key does not verify.</exception>
    public static Sigstruct Sign(SigstructFields fields, ISigstructSigner signer)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(signer);
        var message = fields.ToSignedBytes();
        return Assemble(message, signer.Modulus, signer.Sign(message));
    }

    /// <summary>First step: the 256 bytes that have to be signed by RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    public static byte[] SigningMaterial(SigstructFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return fields.ToSignedBytes();
    }

    /// <summary>Second step: joins the material with the signature that came back.</summary>
    /// <param name="material">What <see cref="SigningMaterial"/> gave.</param>
    /// <param name="modulus">The signer's modulus, 384 bytes, most significant byte first.</param>
    /// <param name="signature">The signature, 384 bytes, most significant byte first.</param>
    /// <exception cref="MalformedDataException">The material is none.</exception>
    /// <exception cref="OperationFailedException">The signature is not this key's signature of the material.</exception>
    public static Sigstruct Assemble(ReadOnlySpan<byte> material, ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> signature)
    {
        if (material.Length != Sigstruct.SignedSize)
            throw new MalformedDataException("SIGSTRUCT signing material", -1, $"{material.Length} bytes, not {Sigstruct.SignedSize}");
        if (modulus.Length != Sigstruct.RsaSize || (modulus[0] & 0x80) == 0 || (modulus[^1] & 1) == 0)
            throw new MalformedDataException("SIGSTRUCT modulus", -1, "not an RSA modulus of 3072 bits");
        if (signature.Length != Sigstruct.RsaSize)
            throw new MalformedDataException("SIGSTRUCT signature", -1, $"{signature.Length} bytes, not {Sigstruct.RsaSize}");
        if (!SigstructVerifier.IsSignature(material, modulus, signature))
        {
            throw new OperationFailedException(
                "assemble SIGSTRUCT", "signature", "it is not a signature of this material by this key",
                "sign exactly the bytes that were generated, by RSASSA-PKCS1-v1_5 with SHA-256, and give the same key's public half");
        }

        var bytes = new byte[Sigstruct.SizeInBytes];
        material[..128].CopyTo(bytes);
        WriteReversed(modulus, bytes.AsSpan(128, 384));
        bytes[512] = 3;
        WriteReversed(signature, bytes.AsSpan(516, 384));
        material[128..].CopyTo(bytes.AsSpan(900));
        var (q1, q2) = Quotients(modulus, signature);
        WriteLittleEndian(q1, bytes.AsSpan(1040, 384));
        WriteLittleEndian(q2, bytes.AsSpan(1424, 384));
        return Sigstruct.Parse(bytes);
    }

    /// <summary>
    /// Q1 = ⌊S²/N⌋ and Q2 = ⌊(S³ − Q1·S·N)/N⌋: they spare EINIT the divisions when it computes S³ mod N.
    /// </summary>
    internal static (BigInteger Q1, BigInteger Q2) Quotients(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> signature)
    {
        var n = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        var s = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        var q1 = BigInteger.DivRem(s * s, n, out var square);
        var q2 = s * square / n;
        return (q1, q2);
    }

    private static void WriteReversed(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        source.CopyTo(destination);
        destination.Reverse();
    }

    private static void WriteLittleEndian(BigInteger value, Span<byte> destination)
    {
        if (!value.TryWriteBytes(destination, out _, isUnsigned: true))
            throw new CryptographicException("a quotient of the signature is longer than the modulus");
    }
}
