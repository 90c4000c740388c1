using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Attestation.Csv;

/// <summary>
/// Hygon's attestation report in its page of 4096 bytes (hygon csv-rs, TeeInfoV1 and TeeInfoV2). In version 1 all fields
/// before ANONCE, and the certificate and serial number behind, are exclusive-ored with ANONCE, 4 bytes at a time; the
/// signature is over the bytes as they lie there.
/// <code>
/// offset  size  field
/// 0x000   32    USER_PUBKEY_DIGEST
/// 0x020   16    VM_ID
/// 0x030   16    VM_VERSION
/// 0x040   64    REPORT_DATA
/// 0x080   16    MNONCE
/// 0x090   32    MEASURE
/// 0x0B0   4     POLICY                    version 1 signs up to here
/// 0x0B4   4     SIG_USAGE
/// 0x0B8   4     SIG_ALGO
/// version 1                               version 2
/// 0x0BC   4     ANONCE                    0x0BC  4    BUILD
/// 0x0C0   144   signature                 0x0C0  16   RTMR_VERSION 2, reserved 14
///                                         0x0D0  160  RTMR0 to RTMR4
///                                         0x170  656  reserved; version 2 signs up to here
///                                         0x400  144  signature
/// …       2084  PEK certificate
/// …       64    serial number of the chip
/// …       32    reserved
/// …       32    HMAC-SM3 of these three under MNONCE
/// </code>
/// </summary>
public sealed class CsvReport
{
    /// <summary>Size of the page in bytes.</summary>
    public const int PageSize = 4096;

    private const int SignatureSize = 144;

    private readonly byte[] _fields;

    private CsvReport(byte[] fields, int version, CsvCertificate pek)
    {
        _fields = fields;
        Version = version;
        Pek = pek;
    }

    /// <summary>1, or 2 for the extended report.</summary>
    public int Version { get; }

    /// <summary>USER_PUBKEY_DIGEST.</summary>
    public ReadOnlyMemory<byte> UserPublicKeyDigest => _fields.AsMemory(0x000, 32);

    /// <summary>VM_ID.</summary>
    public ReadOnlyMemory<byte> VmId => _fields.AsMemory(0x020, 16);

    /// <summary>VM_VERSION.</summary>
    public ReadOnlyMemory<byte> VmVersion => _fields.AsMemory(0x030, 16);

    /// <summary>REPORT_DATA, chosen by the guest.</summary>
    public ReadOnlyMemory<byte> ReportData => _fields.AsMemory(0x040, 64);

    /// <summary>MNONCE.</summary>
    public ReadOnlyMemory<byte> Nonce => _fields.AsMemory(0x080, 16);

    /// <summary>MEASURE: the launch digest.</summary>
    public ReadOnlyMemory<byte> Measure => _fields.AsMemory(0x090, 32);

    /// <summary>POLICY.</summary>
    public uint Policy => BinaryPrimitives.ReadUInt32LittleEndian(_fields.AsSpan(0x0B0));

    /// <summary>True unless POLICY forbids debugging (bit 0, NODBG).</summary>
    public bool IsDebugAllowed => (Policy & 1) == 0;

    /// <summary>SIG_USAGE.</summary>
    public uint SignatureUsage => BinaryPrimitives.ReadUInt32LittleEndian(_fields.AsSpan(0x0B4));

    /// <summary>SIG_ALGO.</summary>
    public uint SignatureAlgorithm => BinaryPrimitives.ReadUInt32LittleEndian(_fields.AsSpan(0x0B8));

    /// <summary>ANONCE; 0 in version 2.</summary>
    public uint Anonce { get; private init; }

    /// <summary>BUILD of the firmware; 0 in version 1.</summary>
    public uint Build => Version == 2 ? BinaryPrimitives.ReadUInt32LittleEndian(_fields.AsSpan(0x0BC)) : 0;

    /// <summary>The bytes that are signed, as they lie in the page.</summary>
    internal ReadOnlyMemory<byte> Signed { get; private init; }

    /// <summary>The signature: r and s, 72 bytes each, least significant first.</summary>
    internal ReadOnlyMemory<byte> Signature { get; private init; }

    /// <summary>The PEK certificate.</summary>
    internal CsvCertificate Pek { get; }

    /// <summary>Serial number of the chip, as text.</summary>
    public string SerialNumber { get; private init; } = "";

    /// <summary>
    /// True if the HMAC over certificate and serial number is right; null if the guest has already unmasked them (as Hygon's own
    /// library does once it has checked the HMAC), so that it cannot be computed again.
    /// </summary>
    public bool? IsSignerIntact { get; private init; }

    /// <summary>RTMR0 to RTMR4 of version 2, SM3.</summary>
    public ReadOnlyMemory<byte> Rtmr(int index) => Version == 2 && index is >= 0 and < 5
        ? _fields.AsMemory(0x0D0 + 32 * index, 32)
        : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Reads a page.</summary>
    /// <param name="page">4096 bytes.</param>
    /// <param name="extended">True for version 2.</param>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static CsvReport Parse(ReadOnlyMemory<byte> page, bool extended)
    {
        const string structure = "CSV attestation report";
        if (page.Length != PageSize)
            throw new MalformedDataException(structure, -1, $"it is {page.Length} bytes, not {PageSize}");
        var infoSize = extended ? 0x490 : 0x150;
        var signedSize = extended ? 0x400 : 0x0B4;
        var anonce = extended ? [0, 0, 0, 0] : page.Slice(0x0BC, 4).ToArray();
        var fields = extended ? page[..0x400].ToArray() : Unmask(page.Span[..0x0BC], anonce);
        var signer = page.Slice(infoSize, CsvCertificate.Size + 64 + 32);
        var mac = page.Span.Slice(infoSize + signer.Length, 32);
        var isPlain = !extended && signer.Span.StartsWith((ReadOnlySpan<byte>)[1, 0, 0, 0]);
        var mask = isPlain ? [0, 0, 0, 0] : anonce;
        var certificate = Unmask(signer.Span[..CsvCertificate.Size], mask);
        var serial = Unmask(signer.Span.Slice(CsvCertificate.Size, 64), mask);
        return new CsvReport(fields, extended ? 2 : 1, CsvCertificate.Parse(certificate))
        {
            Anonce = BinaryPrimitives.ReadUInt32LittleEndian(anonce),
            Signed = page[..signedSize],
            Signature = page.Slice(infoSize - SignatureSize, SignatureSize),
            SerialNumber = System.Text.Encoding.Latin1.GetString(serial.AsSpan().TrimEnd((byte)0)),
            IsSignerIntact = isPlain ? null : Sm2Key.Hmac(fields.AsSpan(0x080, 16), signer.Span).AsSpan().SequenceEqual(mac),
        };
    }

    private static byte[] Unmask(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> anonce)
    {
        var result = bytes.ToArray();
        for (var i = 0; i < result.Length; i++)
            result[i] ^= anonce[i % 4];
        return result;
    }
}
