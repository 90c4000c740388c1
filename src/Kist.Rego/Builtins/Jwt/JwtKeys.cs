using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Rego.Builtins;

/// <summary>Public keys that tokens are verified with.</summary>
static class JwtKeys
{
    private const int MaxKeys = 100;

    /// <summary>Keys from PEM (certificates or public keys), one JWK, or a set of them.</summary>
    /// <exception cref="FormatException">There are none.</exception>
    public static List<JwtKey> Parse(string text)
    {
        var trimmed = text.TrimStart();
        if (!trimmed.StartsWith('{'))
            return [FromPem(text)];
        var document = JwtToken.ReadObject(text, "key set");
        if (document["keys"] is not RegoArray set)
            return FromJwk(document) is { } one ? [one] : throw new FormatException("failed to extract a key from the JWK");
        return set.Items.ToArray().Take(MaxKeys).OfType<RegoObject>().Select(FromJwk).OfType<JwtKey>().ToList();
    }

    public static bool VerifyHmac(string algorithm, byte[] key, byte[] signed, byte[] signature)
    {
        var hash = Hash(algorithm);
        var expected = hash == HashAlgorithmName.SHA256 ? HMACSHA256.HashData(key, signed)
            : hash == HashAlgorithmName.SHA384 ? HMACSHA384.HashData(key, signed) : HMACSHA512.HashData(key, signed);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    public static HashAlgorithmName Hash(string algorithm) => algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        "512" => HashAlgorithmName.SHA512,
        _ => throw new FormatException($"unsupported algorithm {algorithm}"),
    };

    private static JwtKey FromPem(string text)
    {
        if (!PemEncoding.TryFind(text, out var fields))
            throw new FormatException("failed to extract a Key from the PEM certificate");
        var der = Convert.FromBase64String(text[fields.Base64Data]);
        switch (text[fields.Label])
        {
            case "CERTIFICATE":
                using (var certificate = X509CertificateLoader.LoadCertificate(der))
                    return FromPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
            case "PUBLIC KEY":
                return FromPublicKey(der);
            case "RSA PUBLIC KEY":
                using (var rsa = RSA.Create())
                {
                    rsa.ImportRSAPublicKey(der, out _);
                    return new JwtKey(null, null, rsa.ExportParameters(false), null);
                }

            default:
                throw new FormatException($"failed to extract a Key from the PEM certificate: {text[fields.Label]}");
        }
    }

    private static JwtKey FromPublicKey(byte[] der)
    {
        if (EdDsa.FromPublicKeyInfo(der) is { } edwards)
            return new JwtKey(null, null, null, null) { Ed25519 = edwards };
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(der, out _);
            return new JwtKey(null, null, rsa.ExportParameters(false), null);
        }
        catch (CryptographicException)
        {
            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(der, out _);
            return new JwtKey(null, null, null, ec.ExportParameters(false));
        }
    }

    /// <summary>A key of a set; null if it is of a kind that is not used here.</summary>
    private static JwtKey? FromJwk(RegoObject jwk)
    {
        var (id, algorithm) = ((jwk["kid"] as RegoString)?.Value, (jwk["alg"] as RegoString)?.Value);
        return (jwk["kty"] as RegoString)?.Value switch
        {
            "RSA" => new JwtKey(id, algorithm, new RSAParameters { Modulus = Bytes(jwk, "n"), Exponent = Bytes(jwk, "e") }, null),
            "EC" => new JwtKey(id, algorithm, null, new ECParameters
            {
                Curve = Curve((jwk["crv"] as RegoString)?.Value),
                Q = new ECPoint { X = Bytes(jwk, "x"), Y = Bytes(jwk, "y") },
            }),
            "OKP" when (jwk["crv"] as RegoString)?.Value == "Ed25519" && Bytes(jwk, "x") is { Length: EdDsa.KeySize } x => new JwtKey(id, algorithm, null, null) { Ed25519 = x },
            _ => null,
        };
    }

    public static ECCurve Curve(string? name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => throw new FormatException($"unsupported curve {name}"),
    };

    public static byte[] Bytes(RegoObject jwk, string name) =>
        jwk[name] is RegoString s && EncodingBuiltins.FromBase64Url(s.Value) is { Length: > 0 } bytes
            ? bytes
            : throw new FormatException($"the key has no member {name}, or an empty one");
}

/// <summary>One public key: RSA, elliptic curve or Ed25519.</summary>
sealed record JwtKey(string? Id, string? Algorithm, RSAParameters? Rsa, ECParameters? Ec)
{
    public byte[]? Ed25519 { get; init; }

    public bool Verify(string algorithm, byte[] signed, byte[] signature)
    {
        if (algorithm == EdDsa.Algorithm)
            return Ed25519 is { } edwards && EdDsa.Verify(edwards, signed, signature);
        var hash = JwtKeys.Hash(algorithm);
        switch (algorithm[0])
        {
            case 'R' or 'P' when Rsa is { } parameters:
                using (var rsa = RSA.Create(parameters))
                    return rsa.VerifyData(signed, signature, hash, algorithm[0] == 'R' ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);
            case 'E' when Ec is { } parameters:
                using (var ec = ECDsa.Create(parameters))
                    return ec.KeySize == (algorithm == "ES512" ? 521 : algorithm == "ES384" ? 384 : 256) && ec.VerifyData(signed, signature, hash);
            default:
                return false;
        }
    }
}
