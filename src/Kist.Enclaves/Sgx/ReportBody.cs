using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// The body of a REPORT: what the processor says about the enclave that executes EREPORT.
/// <code>
///    0   16  CPUSVN                                                Intel SDM vol. 3D, 36.15
///   16    4  MISCSELECT
///   20    1  CET_ATTRIBUTES
///   21   11  reserved
///   32   16  ISVEXTPRODID
///   48   16  ATTRIBUTES
///   64   32  MRENCLAVE
///   96   32  reserved
///  128   32  MRSIGNER
///  160   32  reserved
///  192   64  CONFIGID
///  256    2  ISVPRODID
///  258    2  ISVSVN
///  260    2  CONFIGSVN
///  262   42  reserved
///  304   16  ISVFAMILYID
///  320   64  REPORTDATA
/// </code>
/// </summary>
public sealed class ReportBody : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 384;

    /// <summary>Bytes of REPORTDATA.</summary>
    public const int ReportDataSize = 64;

    private const string Name = "REPORTBODY";

    /// <summary>An all-zero structure.</summary>
    public ReportBody()
        : base(SizeInBytes)
    {
    }

    private ReportBody(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a body; reserved bytes must be zero.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static ReportBody Parse(ReadOnlySpan<byte> source)
    {
        var body = new ReportBody(source);
        body.RequireZero(Name, 21, 11, "reserved bytes");
        body.RequireZero(Name, 96, 32, "reserved bytes");
        body.RequireZero(Name, 160, 32, "reserved bytes");
        body.RequireZero(Name, 262, 42, "reserved bytes");
        return body;
    }

    /// <summary>CPUSVN, 16 bytes.</summary>
    public ReadOnlySpan<byte> CpuSvn { get => Field(0, 16); init => Set(0, 16, value); }

    /// <summary>MISCSELECT.</summary>
    public uint MiscSelect { get => UInt32(16); init => Set(16, value); }

    /// <summary>ISVEXTPRODID, 16 bytes.</summary>
    public ReadOnlySpan<byte> IsvExtProdId { get => Field(32, 16); init => Set(32, 16, value); }

    /// <summary>ATTRIBUTES.</summary>
    public SgxAttributes Attributes { get => SgxAttributes.Read(Field(48, 16)); init => value.Write(Field(48, 16)); }

    /// <summary>MRENCLAVE, 32 bytes.</summary>
    public ReadOnlySpan<byte> MrEnclave { get => Field(64, 32); init => Set(64, 32, value); }

    /// <summary>MRSIGNER, 32 bytes.</summary>
    public ReadOnlySpan<byte> MrSigner { get => Field(128, 32); init => Set(128, 32, value); }

    /// <summary>CONFIGID, 64 bytes.</summary>
    public ReadOnlySpan<byte> ConfigId { get => Field(192, 64); init => Set(192, 64, value); }

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId { get => UInt16(256); init => Set(256, value); }

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn { get => UInt16(258); init => Set(258, value); }

    /// <summary>CONFIGSVN.</summary>
    public ushort ConfigSvn { get => UInt16(260); init => Set(260, value); }

    /// <summary>ISVFAMILYID, 16 bytes.</summary>
    public ReadOnlySpan<byte> IsvFamilyId { get => Field(304, 16); init => Set(304, 16, value); }

    /// <summary>REPORTDATA, 64 bytes chosen by the enclave.</summary>
    public ReadOnlySpan<byte> ReportData { get => Field(320, 64); init => Set(320, 64, value); }
}
