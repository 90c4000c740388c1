using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Kist.Images.Signatures;

/// <summary>A public key of Ed25519 (RFC 8032), which .NET has not, beside those that it has.</summary>
sealed class Ed25519PublicKey : AsymmetricAlgorithm
{
    private const int KeyBytes = 32;
    private const int SignatureBytes = 64;

    private readonly byte[] _key;

    private Ed25519PublicKey(byte[] key)
    {
        _key = key;
        KeySizeValue = 8 * KeyBytes;
    }

    /// <summary>The key itself, 32 bytes.</summary>
    public ReadOnlySpan<byte> Raw => _key;

    // What comes before the key in a SubjectPublicKeyInfo (RFC 8410, section 4).
    private static ReadOnlySpan<byte> InfoPrefix => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    /// <summary>The key of a SubjectPublicKeyInfo in DER; null if it is of another kind.</summary>
    public static Ed25519PublicKey? TryRead(ReadOnlySpan<byte> publicKeyInfo) =>
        publicKeyInfo.Length == InfoPrefix.Length + KeyBytes && publicKeyInfo.StartsWith(InfoPrefix) ? new(publicKeyInfo[InfoPrefix.Length..].ToArray()) : null;

    /// <summary>Verifies a signature.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == SignatureBytes && Ed25519.Verify(signature.ToArray(), 0, _key, 0, data.ToArray(), 0, data.Length);

    public override byte[] ExportSubjectPublicKeyInfo() => [.. InfoPrefix, .. _key];
}
