using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Kist.Formats.Jose;

/// <summary>The NIST curves of JOSE (RFC 7518 section 6.2.1.1) with their sizes.</summary>
static class EcCurveInfo
{
    /// <summary>The curve of a JWK "crv" value, or null.</summary>
    public static ECCurve? CurveOf(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    /// <summary>Octets of a coordinate: the field size rounded up to whole octets.</summary>
    public static int CoordinateSize(string name) => name switch
    {
        "P-256" => 32,
        "P-384" => 48,
        "P-521" => 66,
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    /// <summary>The JWK name for a key of this size, or null.</summary>
    public static string? NameOf(int keySizeBits) => keySizeBits switch
    {
        256 => "P-256",
        384 => "P-384",
        521 => "P-521",
        _ => null,
    };

    /// <summary>
    /// True if the coordinates are reduced and satisfy y² = x³ - 3x + b. The NIST curves of prime order have no other
    /// subgroups, so that such a point is a valid public key (NIST SP 800-56A rev. 3, 5.6.2.3.4): nothing here is secret, and
    /// nothing need be done in constant time.
    /// </summary>
    public static bool IsOnCurve(string name, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        var (p, b) = name switch
        {
            "P-256" => P256,
            "P-384" => P384,
            "P-521" => P521,
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
        var (px, py) = (new BigInteger(x, isUnsigned: true, isBigEndian: true), new BigInteger(y, isUnsigned: true, isBigEndian: true));
        return px < p && py < p && ((py * py) - ((((px * px) - 3) * px) + b)) % p == 0;
    }

    // FIPS 186-4, D.1.2: the field's prime and the coefficient b.
    private static readonly (BigInteger P, BigInteger B) P256 = Curve(
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");

    private static readonly (BigInteger P, BigInteger B) P384 = Curve(
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");

    private static readonly (BigInteger P, BigInteger B) P521 = Curve(
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00");

    private static (BigInteger P, BigInteger B) Curve(string p, string b) =>
        (BigInteger.Parse("0" + p, NumberStyles.HexNumber, CultureInfo.InvariantCulture), BigInteger.Parse("0" + b, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
