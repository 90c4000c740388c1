using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Kist.Simulator.Crypto;

/// <summary>
/// An ECDSA key whose signatures are those of RFC 6979, so that a simulated vendor's certificates are the same bytes every
/// time. The curve arithmetic is the platform's own; the rest is not constant-time, which a key that protects nothing
/// does not need. Never use it for another purpose.
/// </summary>
sealed class DeterministicEcdsa
{
    private static readonly BigInteger P256Order = Hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    private static readonly BigInteger P384Order = Hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");

    private readonly ECCurve _curve;
    private readonly BigInteger _order;
    private readonly BigInteger _private;
    private readonly int _size;

    private DeterministicEcdsa(ECCurve curve, HashAlgorithmName hash, BigInteger order, int size, ReadOnlySpan<byte> random)
    {
        _curve = curve;
        _order = order;
        _size = size;
        Hash = hash;
        _private = Unsigned(random) % (order - 1) + 1;
        Public = Multiply(_private);
    }

    /// <summary>The hash that goes with the curve.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>The public point.</summary>
    public ECParameters Public { get; }

    /// <summary>The public point, x then y.</summary>
    public byte[] PublicPoint => [.. Public.Q.X!, .. Public.Q.Y!];

    /// <summary>A key on P-256, with SHA-256, from random bytes (48, so that the reduction leaves no bias).</summary>
    public static DeterministicEcdsa P256(ReadOnlySpan<byte> random) =>
        new(ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256, P256Order, 32, random);

    /// <summary>A key on P-384, with SHA-384, from random bytes (64).</summary>
    public static DeterministicEcdsa P384(ReadOnlySpan<byte> random) =>
        new(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384, P384Order, 48, random);

    /// <summary>The key as an object of the platform, for exporting its public half.</summary>
    public ECDsa CreatePublicKey() => ECDsa.Create(Public);

    /// <summary>Signature of <paramref name="data"/>: r then s, big-endian, each of the curve's size.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        var (r, s) = SignHash(CryptographicOperations.HashData(Hash, data));
        return [.. Fixed(r), .. Fixed(s)];
    }

    /// <summary>Signature of <paramref name="data"/> as a DER sequence of r and s, as X.509 has it.</summary>
    public byte[] SignDer(ReadOnlySpan<byte> data)
    {
        var (r, s) = SignHash(CryptographicOperations.HashData(Hash, data));
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(s);
        }

        return writer.Encode();
    }

    private (BigInteger R, BigInteger S) SignHash(byte[] digest)
    {
        // Both curves have an order of exactly the hash's length in bits, so bits2int is the number itself.
        var z = Unsigned(digest);
        using var nonces = new Rfc6979Nonces(Hash, Fixed(_private), Fixed(z % _order));
        while (true)
        {
            var k = Unsigned(nonces.Next());
            if (k.IsZero || k >= _order)
                continue;
            var r = Unsigned(Multiply(k).Q.X!) % _order;
            var s = BigInteger.ModPow(k, _order - 2, _order) * (z + r * _private) % _order;
            if (!r.IsZero && !s.IsZero)
                return (r, s);
        }
    }

    private ECParameters Multiply(BigInteger scalar)
    {
        using var key = ECDsa.Create(new ECParameters { Curve = _curve, D = Fixed(scalar) });
        return key.ExportParameters(includePrivateParameters: false);
    }

    private byte[] Fixed(BigInteger value)
    {
        var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        var result = new byte[_size];
        bytes.CopyTo(result, _size - bytes.Length);
        return result;
    }

    private static BigInteger Unsigned(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static BigInteger Hex(string text) => BigInteger.Parse("0" + text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
