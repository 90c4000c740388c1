using System.Security.Cryptography;

namespace Kist.Rego.Builtins;

/// <summary>Signs tokens with a private key that the policy has as a JWK.</summary>
static class JwtSigning
{
    public static string Sign(string header, string payload, RegoObject key)
    {
        var parsed = JwtToken.ReadObject(header, "header");
        if (parsed["alg"] is not RegoString { Value: var algorithm })
            throw new FormatException("missing or invalid 'alg' header");
        var type = (parsed["typ"] as RegoString)?.Value;
        if (type is null or "JWT" && !JsonBuiltins.IsValid(payload))
            throw new FormatException("type is JWT but payload is not JSON");
        var signed = $"{Encode(header)}.{Encode(payload)}";
        var signature = Signature(algorithm, key, EncodingBuiltins.Bytes(signed));
        return $"{signed}.{EncodingBuiltins.ToBase64Url(signature, padded: false)}";
    }

    private static string Encode(string text) => EncodingBuiltins.ToBase64Url(EncodingBuiltins.Bytes(text), padded: false);

    private static byte[] Signature(string algorithm, RegoObject key, byte[] signed)
    {
        var type = (key["kty"] as RegoString)?.Value;
        switch (type, algorithm)
        {
            case ("oct", "HS256"): return HMACSHA256.HashData(JwtKeys.Bytes(key, "k"), signed);
            case ("oct", "HS384"): return HMACSHA384.HashData(JwtKeys.Bytes(key, "k"), signed);
            case ("oct", "HS512"): return HMACSHA512.HashData(JwtKeys.Bytes(key, "k"), signed);
            case ("RSA", ['R' or 'P', 'S', ..] and { Length: 5 }):
                using (var rsa = RSA.Create(RsaKey(key)))
                    return rsa.SignData(signed, JwtKeys.Hash(algorithm), algorithm[0] == 'R' ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);
            case ("EC", ['E', 'S', ..] and { Length: 5 }):
                using (var ec = ECDsa.Create(EcKey(key)))
                    return ec.SignData(signed, JwtKeys.Hash(algorithm));
            case ("OKP", EdDsa.Algorithm): return EdDsa.Sign(key, signed);
            default:
                throw new FormatException($"unsupported algorithm {algorithm} for a key of type {type}");
        }
    }

    private static RSAParameters RsaKey(RegoObject key)
    {
        var size = JwtKeys.Bytes(key, "n").Length;
        byte[] Sized(string name, int length) => Pad(JwtKeys.Bytes(key, name), length);
        return new RSAParameters
        {
            Modulus = JwtKeys.Bytes(key, "n"),
            Exponent = JwtKeys.Bytes(key, "e"),
            D = Sized("d", size),
            P = Sized("p", (size + 1) / 2),
            Q = Sized("q", (size + 1) / 2),
            DP = Sized("dp", (size + 1) / 2),
            DQ = Sized("dq", (size + 1) / 2),
            InverseQ = Sized("qi", (size + 1) / 2),
        };
    }

    private static ECParameters EcKey(RegoObject key) => new()
    {
        Curve = JwtKeys.Curve((key["crv"] as RegoString)?.Value),
        D = JwtKeys.Bytes(key, "d"),
        Q = new ECPoint { X = JwtKeys.Bytes(key, "x"), Y = JwtKeys.Bytes(key, "y") },
    };

    private static byte[] Pad(byte[] value, int length) => value.Length >= length ? value : [.. new byte[length - value.Length], .. value];
}
