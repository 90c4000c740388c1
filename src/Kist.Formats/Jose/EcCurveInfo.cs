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
}
