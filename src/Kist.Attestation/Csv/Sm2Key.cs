using Org.BouncyCastle.Asn1.GM;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Kist.Attestation.Csv;

/// <summary>An SM2 public key with the user id that its signatures bind (GB/T 32918.2). The platform's library has no SM2.</summary>
internal sealed class Sm2Key
{
    /// <summary>Size of a coordinate, r or s in Hygon's structures; the value is in the first 32 bytes, least significant first.</summary>
    public const int FieldSize = 72;

    private const int Size = 32;

    // SubjectPublicKeyInfo of an uncompressed point on sm2p256v1, up to the point's coordinates.
    private static readonly byte[] SpkiPrefix = Convert.FromHexString("3059301306072a8648ce3d020106082a811ccf5501822d03420004");

    private readonly ECPublicKeyParameters _key;
    private readonly byte[] _userId;

    private Sm2Key(ECPublicKeyParameters key, byte[] x, byte[] y, byte[] userId)
    {
        _key = key;
        _userId = userId;
        SubjectPublicKeyInfo = [.. SpkiPrefix, .. x, .. y];
    }

    /// <summary>DER of the key, by which it is pinned.</summary>
    public byte[] SubjectPublicKeyInfo { get; }

    /// <summary>Null if the point is not on the curve.</summary>
    public static Sm2Key? FromLittleEndian(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, ReadOnlySpan<byte> userId)
    {
        if (x[Size..].ContainsAnyExcept((byte)0) || y[Size..].ContainsAnyExcept((byte)0))
            return null;
        return FromBigEndian(Reversed(x[..Size]), Reversed(y[..Size]), userId);
    }

    /// <summary>Null if the point is not on the curve.</summary>
    public static Sm2Key? FromBigEndian(byte[] x, byte[] y, ReadOnlySpan<byte> userId)
    {
        var curve = GMNamedCurves.GetByName("sm2p256v1");
        try
        {
            var point = curve.Curve.ValidatePoint(new BigInteger(1, x), new BigInteger(1, y));
            return new Sm2Key(new ECPublicKeyParameters(point, new ECDomainParameters(curve)), x, y, userId.ToArray());
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Checks a signature of r and s, <see cref="FieldSize"/> bytes each.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var r = signature[..FieldSize];
        var s = signature[FieldSize..(2 * FieldSize)];
        if (r[Size..].ContainsAnyExcept((byte)0) || s[Size..].ContainsAnyExcept((byte)0))
            return false;
        var signer = new SM2Signer(PlainDsaEncoding.Instance);
        signer.Init(false, new ParametersWithID(_key, _userId));
        signer.BlockUpdate(data.ToArray(), 0, data.Length);
        return signer.VerifySignature([.. Reversed(r[..Size]), .. Reversed(s[..Size])]);
    }

    /// <summary>HMAC with SM3.</summary>
    public static byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data)
    {
        var mac = new HMac(new SM3Digest());
        mac.Init(new KeyParameter(key.ToArray()));
        mac.BlockUpdate(data.ToArray(), 0, data.Length);
        var result = new byte[mac.GetMacSize()];
        mac.DoFinal(result, 0);
        return result;
    }

    private static byte[] Reversed(ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Array.Reverse(copy);
        return copy;
    }
}
