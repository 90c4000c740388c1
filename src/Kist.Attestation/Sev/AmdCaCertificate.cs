using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.Sev;

/// <summary>
/// A certificate of AMD's own authorities, ARK or ASK, in the binary form of the SEV API (AMD 55766 appendix B.1).
/// <code>
/// offset  size  field
/// 0x00    4     version, 1
/// 0x04    16    key id
/// 0x14    16    id of the certifying key; the same for the root
/// 0x24    4     key usage: 0 ARK, 13h ASK
/// 0x28    16    reserved
/// 0x38    4     size of the exponent in bits
/// 0x3C    4     size of the modulus in bits
/// 0x40    …     exponent, modulus, signature: RSA-PSS, least significant byte first
/// </code>
/// </summary>
internal sealed record AmdCaCertificate(
    ReadOnlyMemory<byte> KeyId, ReadOnlyMemory<byte> CertifyingId, SevKeyUsage Usage, SevKey? Key, ReadOnlyMemory<byte> Signed,
    ReadOnlyMemory<byte> Signature, int Size)
{
    private const string Structure = "AMD certificate";

    /// <summary>2048-bit keys (Naples) sign with SHA-256, 4096-bit keys with SHA-384.</summary>
    public HashAlgorithmName Hash => Signature.Length == 256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384;

    /// <summary>Reads one from the beginning of the bytes; <see cref="Size"/> says where it ends.</summary>
    public static AmdCaCertificate Parse(ReadOnlyMemory<byte> bytes)
    {
        var cursor = new SpanCursor(bytes.Span, Structure);
        if (cursor.ReadUInt32LittleEndian() != 1)
            throw cursor.Malformed("its version is not 1");
        var keyId = cursor.ReadBytes(16).ToArray();
        var certifyingId = cursor.ReadBytes(16).ToArray();
        var usage = (SevKeyUsage)cursor.ReadUInt32LittleEndian();
        if (usage is not (SevKeyUsage.Ark or SevKeyUsage.Ask))
            throw cursor.Malformed($"its key usage {usage:x} is neither ARK nor ASK");
        cursor.ReadReserved(16, "the field after key usage");
        var exponentSize = ReadKeySize(ref cursor);
        var modulusSize = ReadKeySize(ref cursor);
        var exponent = cursor.ReadBytes(exponentSize);
        var modulus = cursor.ReadBytes(modulusSize);
        var signed = bytes[..cursor.Position];
        var signature = cursor.ReadBytes(modulusSize).ToArray();
        return new AmdCaCertificate(
            keyId, certifyingId, usage, SevKey.FromRsa(modulus, exponent), signed, signature, cursor.Position);
    }

    /// <summary>True if the other's key signed this certificate, and this one says so.</summary>
    public bool IsSignedBy(AmdCaCertificate issuer) => CertifyingId.Span.SequenceEqual(issuer.KeyId.Span)
        && issuer.Key is { } key && key.Verify(Signed.Span, Signature.Span, Hash);

    private static int ReadKeySize(ref SpanCursor cursor) => cursor.ReadUInt32LittleEndian() switch
    {
        2048 => 256,
        4096 => 512,
        var bits => throw cursor.Malformed($"a key size of {bits} bits is neither 2048 nor 4096"),
    };
}
