using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Rego.Builtins;

/// <summary>Private keys that a policy is given as text, as the values it sees.</summary>
static class PrivateKeys
{
    /// <summary>An RSA key as a JWK.</summary>
    public static RegoValue RsaJwk(string text)
    {
        var pem = text.Contains("-----BEGIN", StringComparison.Ordinal) ? text : EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64(text));
        using var rsa = RSA.Create();
        rsa.ImportFromPem(pem);
        var p = rsa.ExportParameters(true);
        return RegoValue.ObjectOf(
            ("kty", RegoValue.Of("RSA")), ("n", Url(p.Modulus!)), ("e", Url(p.Exponent!)), ("d", Url(p.D!)), ("p", Url(p.P!)), ("q", Url(p.Q!)),
            ("dp", Url(p.DP!)), ("dq", Url(p.DQ!)), ("qi", Url(p.InverseQ!)));
    }

    /// <summary>All private keys of a PEM text.</summary>
    public static RegoArray All(string text)
    {
        if (text.Length == 0)
            return RegoArray.Empty;
        var pem = text.Contains("-----BEGIN", StringComparison.Ordinal) ? text : EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64(text));
        var keys = new List<RegoValue>();
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label].EndsWith("PRIVATE KEY"))
                keys.Add(Of(rest[fields.Location].ToString()));
            rest = rest[fields.Location.End..];
        }

        return RegoArray.From(keys);
    }

    /// <summary>One key, with the members of Go's key types.</summary>
    public static RegoValue Of(string pem)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            var p = rsa.ExportParameters(true);
            return RegoValue.ObjectOf(
                ("N", Number(p.Modulus!)), ("E", Number(p.Exponent!)), ("D", Number(p.D!)),
                ("Primes", RegoValue.ArrayOf(Number(p.P!), Number(p.Q!))),
                ("Precomputed", RegoValue.ObjectOf(("Dp", Number(p.DP!)), ("Dq", Number(p.DQ!)), ("Qinv", Number(p.InverseQ!)), ("CRTValues", RegoArray.Empty))));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            using var ec = ECDsa.Create();
            ec.ImportFromPem(pem);
            var p = ec.ExportParameters(true);
            return RegoValue.ObjectOf(("Curve", RegoValue.ObjectOf()), ("X", Number(p.Q.X!)), ("Y", Number(p.Q.Y!)), ("D", Number(p.D!)));
        }
    }

    /// <summary>The key is the certificate's.</summary>
    /// <exception cref="FormatException">It is another's.</exception>
    public static void CheckPair(X509Certificate2 certificate, string pem)
    {
        try
        {
            using var both = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FormatException("tls: private key does not match public key", e);
        }
    }

    private static RegoValue Url(byte[] bytes) => RegoValue.Of(EncodingBuiltins.ToBase64Url(bytes, padded: false));

    private static RegoValue Number(byte[] bytes) => RegoValue.Of(new BigInteger(bytes, isUnsigned: true, isBigEndian: true));
}
