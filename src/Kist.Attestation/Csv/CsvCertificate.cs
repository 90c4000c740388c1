using Kist.Attestation.Sev;
using Kist.Formats;

namespace Kist.Attestation.Csv;

/// <summary>
/// A certificate of Hygon's chain: PEK or CEK (2084 bytes), HSK or HRK (832 bytes), after the structures of AMD's SEV with
/// SM2 keys and a user id (Hygon CSV API; hygon csv-rs). Little-endian.
/// <code>
/// 2084 bytes                             832 bytes
/// 0x000  4    version, 1                 0x000  4    version, 1
/// 0x004  2    firmware                   0x004  16   key id
/// 0x006  2    reserved                   0x014  16   id of the signing key
/// 0x008  4    usage                      0x024  4    usage
/// 0x00C  4    algorithm                  0x028  24   reserved
/// 0x010  148  curve 4, x 72, y 72        0x040  148  curve, x, y
/// 0x0A4  256  size 2, user id 254        0x0D4  256  size, user id
/// 0x1A4  624  id 16, reserved 608        0x1D4  108  reserved
/// 0x414  520  usage 4, algorithm 4,      0x240  144  signature over 0x000 to 0x23F
///             signature 144, 368         0x2D0  112  reserved
/// 0x61C  520  the same again
/// </code>
/// </summary>
internal sealed record CsvCertificate(SevKeyUsage Usage, Sm2Key? Key, ReadOnlyMemory<byte> Signed, IReadOnlyList<CsvSignature> Signatures)
{
    public const int Size = 0x824;
    public const int AuthoritySize = 0x340;

    private const string Structure = "Hygon certificate";
    private const int SignatureSize = 2 * Sm2Key.FieldSize;
    private const uint CurveSm2 = 3;

    /// <summary>Reads a PEK or CEK.</summary>
    public static CsvCertificate Parse(ReadOnlyMemory<byte> bytes)
    {
        var cursor = new SpanCursor(bytes.Span, Structure);
        if (cursor.ReadUInt32LittleEndian() != 1)
            throw cursor.Malformed("its version is not 1");
        cursor.ReadBytes(4);
        var usage = (SevKeyUsage)cursor.ReadUInt32LittleEndian();
        cursor.ReadUInt32LittleEndian();
        var key = ReadKey(ref cursor);
        cursor.ReadBytes(624);
        var signatures = new List<CsvSignature>();
        for (var i = 0; i < 2; i++)
        {
            var signer = (SevKeyUsage)cursor.ReadUInt32LittleEndian();
            cursor.ReadUInt32LittleEndian();
            signatures.Add(new CsvSignature(signer, cursor.ReadBytes(SignatureSize).ToArray()));
            cursor.ReadBytes(368);
        }

        cursor.ExpectEnd();
        return new CsvCertificate(usage, key, bytes[..0x414], signatures);
    }

    /// <summary>Reads an HSK or HRK.</summary>
    public static CsvCertificate ParseAuthority(ReadOnlyMemory<byte> bytes)
    {
        var cursor = new SpanCursor(bytes.Span, Structure);
        if (cursor.ReadUInt32LittleEndian() != 1)
            throw cursor.Malformed("its version is not 1");
        cursor.ReadBytes(32);
        var usage = (SevKeyUsage)cursor.ReadUInt32LittleEndian();
        cursor.ReadBytes(24);
        var key = ReadKey(ref cursor);
        cursor.ReadBytes(108);
        var signature = new CsvSignature(SevKeyUsage.Ark, cursor.ReadBytes(SignatureSize).ToArray());
        cursor.ReadReserved(112, "the field after the signature");
        cursor.ExpectEnd();
        return new CsvCertificate(usage, key, bytes[..0x240], [signature]);
    }

    /// <summary>True if a signature that is said to be by a key of this usage is by this one.</summary>
    public bool IsSignedBy(SevKeyUsage usage, Sm2Key? key) => key is not null
        && Signatures.Any(s => s.Usage == usage && key.Verify(Signed.Span, s.Value.Span));

    private static Sm2Key? ReadKey(ref SpanCursor cursor)
    {
        var curve = cursor.ReadUInt32LittleEndian();
        var x = cursor.ReadBytes(Sm2Key.FieldSize);
        var y = cursor.ReadBytes(Sm2Key.FieldSize);
        var size = cursor.ReadUInt16LittleEndian();
        var userId = cursor.ReadBytes(254);
        if (size > userId.Length)
            throw cursor.Malformed($"its user id is {size} bytes, more than {userId.Length}");
        return curve == CurveSm2 ? Sm2Key.FromLittleEndian(x, y, userId[..size]) : null;
    }
}

/// <summary>One signature of a certificate, and the usage of the key that is said to have made it.</summary>
internal sealed record CsvSignature(SevKeyUsage Usage, ReadOnlyMemory<byte> Value);
