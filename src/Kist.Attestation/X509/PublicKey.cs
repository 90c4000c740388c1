using System.Security.Cryptography;
using Kist.Attestation.X509.Native;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>
/// A public key that signatures are checked with: EC on P-256, P-384 or P-521, or RSA of 2048 to 8192 bits. Safe for
/// concurrent use.
/// </summary>
internal sealed class PublicKey
{
    private const int MinRsaBytes = 256;
    private const int MaxRsaBytes = 1024;

    private readonly ECParameters? _ec;
    private readonly EvpEcKey? _evp;
    private readonly RSAParameters? _rsa;

    private PublicKey(ECParameters? ec, EvpEcKey? evp, RSAParameters? rsa, int size)
    {
        _ec = ec;
        _evp = evp;
        _rsa = rsa;
        Size = size;
    }

    /// <summary>Size in bytes of a coordinate (EC) or of the modulus (RSA).</summary>
    public int Size { get; }

    public bool IsEc => _ec is not null || _evp is not null;

    /// <summary>
    /// Reads a SubjectPublicKeyInfo. Null if its algorithm, curve or size is not supported, or the point is not on the
    /// curve.
    /// </summary>
    /// <exception cref="MalformedDataException">It is not DER of that shape.</exception>
    public static PublicKey? Parse(ReadOnlySpan<byte> subjectPublicKeyInfo) => Read(subjectPublicKeyInfo, import: true);

    /// <summary>Throws what <see cref="Parse"/> would throw, without the cost of making a key.</summary>
    /// <exception cref="MalformedDataException">It is not DER of that shape.</exception>
    public static void CheckStructure(ReadOnlySpan<byte> subjectPublicKeyInfo) => Read(subjectPublicKeyInfo, import: false);

    private static PublicKey? Read(ReadOnlySpan<byte> subjectPublicKeyInfo, bool import)
    {
        var outer = new DerCursor(subjectPublicKeyInfo, "SubjectPublicKeyInfo");
        var info = outer.ReadSequence("SubjectPublicKeyInfo");
        outer.ExpectEnd();
        var algorithm = info.ReadSequence("algorithm");
        var id = algorithm.Read(DerTag.ObjectIdentifier, "algorithm");
        var key = info.ReadBitString("subjectPublicKey");
        info.ExpectEnd();
        if (id.SequenceEqual(ObjectId.EcPublicKey))
        {
            return algorithm.TryRead(DerTag.ObjectIdentifier, "namedCurve", out var curve) && key is [0x04, ..] && import
                ? FromPoint(curve, key[1..])
                : null;
        }

        return id.SequenceEqual(ObjectId.RsaEncryption) ? FromRsa(key, import) : null;
    }

    /// <summary>A P-256 key from its coordinates, x then y, 32 bytes each. Null if the point is not on the curve.</summary>
    public static PublicKey? FromP256(ReadOnlySpan<byte> xy) => FromPoint(ObjectId.P256, xy);

    /// <summary>A P-384 key from its coordinates, x then y, 48 bytes each. Null if the point is not on the curve.</summary>
    public static PublicKey? FromP384(ReadOnlySpan<byte> xy) => FromPoint(ObjectId.P384, xy);

    /// <summary>Checks a signature in the form certificates use: ECDSA-Sig-Value in DER, or an RSA number.</summary>
    public bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (scheme is SignatureScheme.Unsupported)
            return false;
        Span<byte> hash = stackalloc byte[64];
        hash = hash[..CryptographicOperations.HashData(SignatureSchemes.HashOf(scheme), data, hash)];
        switch (scheme)
        {
            case SignatureScheme.EcdsaSha256 or SignatureScheme.EcdsaSha384 or SignatureScheme.EcdsaSha512:
                Span<byte> rs = stackalloc byte[2 * 66];
                rs = rs[..(2 * Math.Min(Size, 66))];
                return IsEc && EcdsaSignature.TryReadDer(signature, rs) && VerifyEcdsaHash(hash, rs);
            case SignatureScheme.RsaPkcs1Sha256 or SignatureScheme.RsaPkcs1Sha384 or SignatureScheme.RsaPkcs1Sha512:
                return VerifyRsaHash(hash, signature, SignatureSchemes.HashOf(scheme), RSASignaturePadding.Pkcs1);
            default:
                return VerifyRsaHash(hash, signature, SignatureSchemes.HashOf(scheme), RSASignaturePadding.Pss);
        }
    }

    /// <summary>Checks an ECDSA signature over a digest; the signature is r then s, each the size of a coordinate.</summary>
    public bool VerifyEcdsaHash(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> rs)
    {
        if (!IsEc || rs.Length != 2 * Size)
            return false;
        if (_evp is not null)
            return _evp.Verify(hash, rs);
        using var key = ECDsa.Create(_ec!.Value);
        return key.VerifyHash(hash, rs, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>Checks an RSA signature over a digest. A salt as long as the digest is expected for PSS.</summary>
    public bool VerifyRsaHash(
        ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature, HashAlgorithmName algorithm, RSASignaturePadding padding)
    {
        if (_rsa is not { } parameters || signature.Length != Size)
            return false;
        using var key = RSA.Create(parameters);
        return key.VerifyHash(hash, signature, algorithm, padding);
    }

    private static PublicKey? FromPoint(ReadOnlySpan<byte> curve, ReadOnlySpan<byte> xy)
    {
        if (curve.SequenceEqual(ObjectId.P256))
            return FromPoint("prime256v1\0"u8, ECCurve.NamedCurves.nistP256, 32, xy);
        if (curve.SequenceEqual(ObjectId.P384))
            return FromPoint("secp384r1\0"u8, ECCurve.NamedCurves.nistP384, 48, xy);
        return curve.SequenceEqual(ObjectId.P521) ? FromPoint("secp521r1\0"u8, ECCurve.NamedCurves.nistP521, 66, xy) : null;
    }

    private static PublicKey? FromPoint(ReadOnlySpan<byte> group, ECCurve curve, int size, ReadOnlySpan<byte> xy)
    {
        if (xy.Length != 2 * size)
            return null;
        if (LibCrypto.IsAvailable)
            return EvpEcKey.Create(group, xy) is { } evp ? new PublicKey(null, evp, null, size) : null;
        var parameters = new ECParameters { Curve = curve, Q = new ECPoint { X = xy[..size].ToArray(), Y = xy[size..].ToArray() } };
        try
        {
            using var key = ECDsa.Create(parameters);
            return new PublicKey(parameters, null, null, size);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>RSAPublicKey (RFC 8017 §A.1.1). Public exponents of more than 8 bytes are not supported.</summary>
    private static PublicKey? FromRsa(ReadOnlySpan<byte> encoded, bool import)
    {
        var outer = new DerCursor(encoded, "RSAPublicKey");
        var sequence = outer.ReadSequence("RSAPublicKey");
        outer.ExpectEnd();
        var modulus = sequence.ReadUnsigned("modulus");
        var exponent = sequence.ReadUnsigned("publicExponent");
        sequence.ExpectEnd();
        if (!import || modulus.Length is < MinRsaBytes or > MaxRsaBytes || exponent.Length > 8 || (exponent[^1] & 1) == 0)
            return null;
        var parameters = new RSAParameters { Modulus = modulus.ToArray(), Exponent = exponent.ToArray() };
        try
        {
            using var key = RSA.Create(parameters);
            return new PublicKey(null, null, parameters, modulus.Length);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
