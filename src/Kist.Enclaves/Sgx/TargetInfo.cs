using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// TARGETINFO: the enclave for which EREPORT makes a report.
/// <code>
///    0   32  MEASUREMENT (MRENCLAVE of the target)                 Intel SDM vol. 3D, 36.16
///   32   16  ATTRIBUTES
///   48    1  CET_ATTRIBUTES
///   49    1  reserved
///   50    2  CONFIGSVN
///   52    4  MISCSELECT
///   56    8  reserved
///   64   64  CONFIGID
///  128  384  reserved
/// </code>
/// </summary>
public sealed class TargetInfo : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 512;

    private const string Name = "TARGETINFO";

    /// <summary>An all-zero structure.</summary>
    public TargetInfo()
        : base(SizeInBytes)
    {
    }

    private TargetInfo(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a structure; reserved bytes must be zero.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static TargetInfo Parse(ReadOnlySpan<byte> source)
    {
        var target = new TargetInfo(source);
        target.RequireZero(Name, 49, 1, "reserved byte");
        target.RequireZero(Name, 56, 8, "reserved bytes");
        target.RequireZero(Name, 128, 384, "reserved bytes");
        return target;
    }

    /// <summary>The target that <paramref name="report"/> describes: whoever made it can check a report made for this.</summary>
    public static TargetInfo Of(ReportBody report) => new()
    {
        MrEnclave = report.MrEnclave,
        Attributes = report.Attributes,
        ConfigSvn = report.ConfigSvn,
        MiscSelect = report.MiscSelect,
        ConfigId = report.ConfigId,
    };

    /// <summary>MRENCLAVE of the target, 32 bytes.</summary>
    public ReadOnlySpan<byte> MrEnclave { get => Field(0, 32); init => Set(0, 32, value); }

    /// <summary>ATTRIBUTES of the target.</summary>
    public SgxAttributes Attributes { get => SgxAttributes.Read(Field(32, 16)); init => value.Write(Field(32, 16)); }

    /// <summary>CONFIGSVN of the target.</summary>
    public ushort ConfigSvn { get => UInt16(50); init => Set(50, value); }

    /// <summary>MISCSELECT of the target.</summary>
    public uint MiscSelect { get => UInt32(52); init => Set(52, value); }

    /// <summary>CONFIGID of the target, 64 bytes.</summary>
    public ReadOnlySpan<byte> ConfigId { get => Field(64, 64); init => Set(64, 64, value); }
}
