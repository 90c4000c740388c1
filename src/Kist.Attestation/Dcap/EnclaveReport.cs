using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// SGX report body (Intel SDM vol. 3D, table 40-21 "REPORT"; sgx_report.h "sgx_report_body_t").
/// <code>
/// offset size field            offset size field
///      0   16 CPUSVN              256    2 ISVPRODID
///     16    4 MISCSELECT          258    2 ISVSVN
///     20   12 reserved            260    2 CONFIGSVN
///     32   16 ISVEXTPRODID        262   42 reserved
///     48   16 ATTRIBUTES          304   16 ISVFAMILYID
///     64   32 MRENCLAVE           320   64 REPORTDATA
///     96   32 reserved
///    128   32 MRSIGNER
///    160   32 reserved
///    192   64 CONFIGID
/// </code>
/// </summary>
public sealed class EnclaveReport
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 384;

    /// <summary>Bit of the first byte of ATTRIBUTES: whoever runs the machine may read and write the enclave's memory.</summary>
    private const byte DebugBit = 0x02;

    private readonly ReadOnlyMemory<byte> _raw;

    private EnclaveReport(ReadOnlyMemory<byte> raw) => _raw = raw;

    /// <summary>The report as received.</summary>
    public ReadOnlyMemory<byte> Raw => _raw;

    /// <summary>CPUSVN, 16 bytes.</summary>
    public ReadOnlyMemory<byte> CpuSvn => _raw[..16];

    /// <summary>MISCSELECT.</summary>
    public uint MiscSelect => BinaryPrimitives.ReadUInt32LittleEndian(_raw.Span[16..]);

    /// <summary>ISVEXTPRODID, 16 bytes (key separation and sharing).</summary>
    public ReadOnlyMemory<byte> IsvExtProdId => _raw.Slice(32, 16);

    /// <summary>ATTRIBUTES: flags (8 bytes) and XFRM (8 bytes).</summary>
    public ReadOnlyMemory<byte> Attributes => _raw.Slice(48, 16);

    /// <summary>MRENCLAVE, 32 bytes: what was loaded.</summary>
    public ReadOnlyMemory<byte> MrEnclave => _raw.Slice(64, 32);

    /// <summary>MRSIGNER, 32 bytes: SHA-256 of the signer's RSA modulus.</summary>
    public ReadOnlyMemory<byte> MrSigner => _raw.Slice(128, 32);

    /// <summary>CONFIGID, 64 bytes (key separation and sharing).</summary>
    public ReadOnlyMemory<byte> ConfigId => _raw.Slice(192, 64);

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId => BinaryPrimitives.ReadUInt16LittleEndian(_raw.Span[256..]);

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn => BinaryPrimitives.ReadUInt16LittleEndian(_raw.Span[258..]);

    /// <summary>CONFIGSVN.</summary>
    public ushort ConfigSvn => BinaryPrimitives.ReadUInt16LittleEndian(_raw.Span[260..]);

    /// <summary>ISVFAMILYID, 16 bytes.</summary>
    public ReadOnlyMemory<byte> IsvFamilyId => _raw.Slice(304, 16);

    /// <summary>REPORTDATA, 64 bytes.</summary>
    public ReadOnlyMemory<byte> ReportData => _raw.Slice(320, 64);

    /// <summary>True if the DEBUG attribute is set.</summary>
    public bool IsDebug => (_raw.Span[48] & DebugBit) != 0;

    /// <summary>Takes a report body; nothing may follow it.</summary>
    /// <exception cref="MalformedDataException">It has another size.</exception>
    public static EnclaveReport Parse(ReadOnlyMemory<byte> raw) => raw.Length == Size
        ? new EnclaveReport(raw)
        : throw new MalformedDataException("enclave report", 0, $"{raw.Length} bytes, not {Size}");
}
