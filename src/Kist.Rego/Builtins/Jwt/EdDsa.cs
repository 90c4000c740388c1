using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Kist.Rego.Builtins;

/// <summary>Ed25519 (RFC 8032), which .NET has not: the one curve of EdDSA that tokens use here (RFC 8037).</summary>
static class EdDsa
{
    public const string Algorithm = "EdDSA";
    public const int KeySize = 32;

    private const int SignatureSize = 64;

    /// <summary>What comes before the key in a SubjectPublicKeyInfo of Ed25519 (RFC 8410).</summary>
    private static ReadOnlySpan<byte> InfoPrefix => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    /// <summary>The public key in a SubjectPublicKeyInfo; null if it is of another kind.</summary>
    public static byte[]? FromPublicKeyInfo(ReadOnlySpan<byte> der) =>
        der.Length == InfoPrefix.Length + KeySize && der.StartsWith(InfoPrefix) ? der[InfoPrefix.Length..].ToArray() : null;

    public static bool Verify(byte[] publicKey, byte[] signed, byte[] signature) =>
        RegoFeatures.EdDsa && signature.Length == SignatureSize && Ed25519.Verify(signature, 0, publicKey, 0, signed, 0, signed.Length);

    /// <summary>Signs with the private key of a JWK: the member d, a seed.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static byte[] Sign(RegoObject key, byte[] signed)
    {
        var seed = JwtKeys.Bytes(key, "d");
        if ((key["crv"] as RegoString)?.Value != "Ed25519" || seed.Length != KeySize || !RegoFeatures.EdDsa)
            throw new FormatException("unsupported curve, or a private key of the wrong size");
        var signature = new byte[SignatureSize];
        Ed25519.Sign(seed, 0, signed, 0, signed.Length, signature, 0);
        return signature;
    }
}
