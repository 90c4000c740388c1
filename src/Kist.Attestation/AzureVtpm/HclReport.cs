using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.AzureVtpm;

/// <summary>What hardware report a paravisor's report carries (IGVM_REPORT_TYPE).</summary>
public enum HclReportType
{
    /// <summary>SEV-SNP: an ATTESTATION_REPORT.</summary>
    Snp = 2,

    /// <summary>Virtualization-based security, without a hardware report.</summary>
    Vbs = 3,

    /// <summary>TDX: a TDREPORT, which only the machine itself can verify.</summary>
    Tdx = 4,
}

/// <summary>
/// The attestation report of Azure's paravisor (host compatibility layer), as the vTPM holds it in NV index 0x01400001
/// (Microsoft, "vTPM attestation report", and azure-cvm-tooling). Little-endian.
/// <code>
/// offset  size  field
/// 0       4     "HCLA"
/// 4       4     version, 1 or 2
/// 8       4     size of the whole
/// 12      4     request type
/// 16      4     status
/// 20      12    reserved
/// 32      1184  hardware report, SNP's or TDX's, padded
/// 1216    4     size of the request data from here
/// 1220    4     version, 1
/// 1224    4     report type
/// 1228    4     hash of the runtime data: 1 SHA-256, 2 SHA-384, 3 SHA-512
/// 1232    4     size of the runtime data
/// 1236    …     runtime data, JSON; zeros may follow
/// </code>
/// </summary>
public sealed record HclReport
{
    /// <summary>Where the hardware report begins.</summary>
    public const int HardwareOffset = 32;

    /// <summary>Where the report type is.</summary>
    internal const int TypeOffset = 1224;

    private const string Structure = "HCL report";
    private const int HardwareSize = 1184;
    private const int RuntimeLimit = 64 * 1024;

    /// <summary>version.</summary>
    public required uint Version { get; init; }

    /// <summary>The hardware report's area, 1184 bytes.</summary>
    public required ReadOnlyMemory<byte> HardwareReport { get; init; }

    /// <summary>report type.</summary>
    public required HclReportType Type { get; init; }

    /// <summary>The hash by which the hardware report binds <see cref="RuntimeData"/>.</summary>
    public required HashAlgorithmName Hash { get; init; }

    /// <summary>The JSON document, without the zeros that follow it.</summary>
    public required ReadOnlyMemory<byte> RuntimeData { get; init; }

    /// <summary>The digest of the runtime data that must stand in the hardware report's report data, zero-padded.</summary>
    public byte[] RuntimeDigest() => CryptographicOperations.HashData(Hash, RuntimeData.Span);

    /// <summary>Reads a report.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static HclReport Parse(ReadOnlySpan<byte> bytes)
    {
        var cursor = new SpanCursor(bytes, Structure);
        cursor.Expect("HCLA"u8, "signature");
        var version = cursor.ReadUInt32LittleEndian();
        if (version is not (1 or 2))
            throw cursor.Malformed($"version {version} is not 1 or 2");
        cursor.ReadBytes(24);
        var hardware = cursor.ReadBytes(HardwareSize).ToArray();
        cursor.ReadUInt32LittleEndian();
        if (cursor.ReadUInt32LittleEndian() != 1)
            throw cursor.Malformed("the version of the request data is not 1");
        var type = (HclReportType)cursor.ReadUInt32LittleEndian();
        var hash = cursor.ReadUInt32LittleEndian() switch
        {
            1 => HashAlgorithmName.SHA256,
            2 => HashAlgorithmName.SHA384,
            3 => HashAlgorithmName.SHA512,
            var other => throw cursor.Malformed($"hash {other} of the runtime data is none of 1, 2 and 3"),
        };
        var runtime = cursor.ReadBytes(cursor.ReadLength32LittleEndian(RuntimeLimit, "runtime data")).ToArray();
        if (cursor.Rest.IndexOfAnyExcept((byte)0) >= 0)
            throw cursor.Malformed("something other than zeros follows the runtime data");
        return new HclReport { Version = version, HardwareReport = hardware, Type = type, Hash = hash, RuntimeData = runtime };
    }
}
