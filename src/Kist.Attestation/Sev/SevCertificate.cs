using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.Sev;

/// <summary>
/// A certificate of a platform's chain, PDH, PEK, OCA or CEK (AMD 55766, SEV API, appendix C.1). Little-endian.
/// <code>
/// offset  size  field
/// 0x000   4     version, 1
/// 0x004   1     API_MAJOR of the firmware
/// 0x005   1     API_MINOR
/// 0x006   2     reserved
/// 0x008   4     usage of the key
/// 0x00C   4     algorithm of the key
/// 0x010   1028  key. EC: curve 4, x 72, y 72, reserved. RSA: modulus size 4, exponent 512, modulus 512
/// 0x414   4     usage of the first signing key
/// 0x418   4     algorithm of the first signature
/// 0x41C   512   first signature, over 0x000 to 0x413
/// 0x61C   520   the same of the second
/// </code>
/// </summary>
internal sealed record SevCertificate(
    byte ApiMajor, byte ApiMinor, SevKeyUsage Usage, uint Algorithm, SevKey? Key, ReadOnlyMemory<byte> Signed, SevSignature First, SevSignature Second)
{
    public const int Size = 0x824;

    private const string Structure = "SEV certificate";
    private const int SignedSize = 0x414;

    public static SevCertificate Parse(ReadOnlyMemory<byte> bytes)
    {
        var cursor = new SpanCursor(bytes.Span, Structure);
        if (cursor.ReadUInt32LittleEndian() != 1)
            throw cursor.Malformed("its version is not 1");
        var (major, minor) = (cursor.ReadByte(), cursor.ReadByte());
        cursor.ReadReserved(2, "the field after API_MINOR");
        var usage = (SevKeyUsage)cursor.ReadUInt32LittleEndian();
        if (usage is not (SevKeyUsage.Oca or SevKeyUsage.Pek or SevKeyUsage.Pdh or SevKeyUsage.Cek))
            throw cursor.Malformed($"key usage 0x{(uint)usage:x} is none of OCA, PEK, PDH and CEK");
        var algorithm = cursor.ReadUInt32LittleEndian();
        var key = ReadKey(cursor.ReadBytes(1028), algorithm);
        var first = SevSignature.Read(ref cursor);
        var second = SevSignature.Read(ref cursor);
        cursor.ExpectEnd();
        return new SevCertificate(major, minor, usage, algorithm, key, bytes[..SignedSize], first, second);
    }

    /// <summary>The signature that is said to be made by a key of this usage, or null.</summary>
    public SevSignature? SignatureBy(SevKeyUsage usage) => First.Usage == usage ? First : Second.Usage == usage ? Second : null;

    public bool IsSignedBy(SevKeyUsage usage, SevKey? key) =>
        key is not null && SignatureBy(usage) is { } signature && signature.Verify(key, Signed.Span);

    private static SevKey? ReadKey(ReadOnlySpan<byte> bytes, uint algorithm)
    {
        var cursor = new SpanCursor(bytes, "SEV public key", 0x010);
        switch (algorithm & ~0x100u)
        {
            case 1:
                var size = cursor.ReadUInt32LittleEndian() / 8;
                if (size is not (256 or 512))
                    throw cursor.Malformed("the modulus is of neither 2048 nor 4096 bits");
                var exponent = cursor.ReadBytes(512);
                return SevKey.FromRsa(cursor.ReadBytes(512)[..(int)size], exponent);
            case 2 or 3:
                var curve = cursor.ReadUInt32LittleEndian();
                var key = SevKey.FromPoint(curve, cursor.ReadBytes(72), cursor.ReadBytes(72));
                cursor.ReadReserved(880, "the field after the key's point");
                return key;
            default:
                throw cursor.Malformed($"key algorithm 0x{algorithm:x} is not known");
        }
    }
}

/// <summary>One of a certificate's two signatures: who made it, and how.</summary>
internal sealed record SevSignature(SevKeyUsage Usage, uint Algorithm, ReadOnlyMemory<byte> Value)
{
    public static SevSignature Read(ref SpanCursor cursor) => new(
        (SevKeyUsage)cursor.ReadUInt32LittleEndian(), cursor.ReadUInt32LittleEndian(), cursor.ReadBytes(512).ToArray());

    public bool Verify(SevKey key, ReadOnlySpan<byte> signed) => Algorithm switch
    {
        0x001 => !key.IsEc && key.Verify(signed, Value.Span, HashAlgorithmName.SHA256),
        0x101 => !key.IsEc && key.Verify(signed, Value.Span, HashAlgorithmName.SHA384),
        0x002 => key.IsEc && key.Verify(signed, Value.Span, HashAlgorithmName.SHA256),
        0x102 => key.IsEc && key.Verify(signed, Value.Span, HashAlgorithmName.SHA384),
        _ => false,
    };
}
