using Kist.Formats;

namespace Kist.Attestation.Tdx;

/// <summary>
/// TD report body of a quote (Intel TDX DCAP Quote Generation Library, appendix 3.2 and 3.3: "TD Quote Body").
/// <code>
/// offset size field             offset size field
///      0   16 TEE_TCB_SVN          184   48 MRCONFIGID
///     16   48 MRSEAM               232   48 MROWNER
///     64   48 MRSIGNERSEAM         280   48 MROWNERCONFIG
///    112    8 SEAMATTRIBUTES       328  4*48 RTMR0..3
///    120    8 TDATTRIBUTES         520   64 REPORTDATA
///    128    8 XFAM                 584   16 TEE_TCB_SVN2   (1.5 only)
///    136   48 MRTD                 600   48 MRSERVICETD    (1.5 only)
/// </code>
/// </summary>
public sealed class TdReport
{
    /// <summary>Size of the TDX 1.0 body.</summary>
    public const int Size10 = 584;

    /// <summary>Size of the TDX 1.5 body.</summary>
    public const int Size15 = 648;

    private readonly ReadOnlyMemory<byte> _raw;

    private TdReport(ReadOnlyMemory<byte> raw) => _raw = raw;

    /// <summary>The body as received.</summary>
    public ReadOnlyMemory<byte> Raw => _raw;

    /// <summary>True for the TDX 1.5 body.</summary>
    public bool IsVersion15 => _raw.Length == Size15;

    /// <summary>TEE_TCB_SVN, 16 bytes: SVN of the TDX module, its major version, SVN of the SEAM loader's microcode, …</summary>
    public ReadOnlyMemory<byte> TeeTcbSvn => _raw[..16];

    /// <summary>MRSEAM, 48 bytes: measurement of the TDX module.</summary>
    public ReadOnlyMemory<byte> MrSeam => _raw.Slice(16, 48);

    /// <summary>MRSIGNERSEAM, 48 bytes: zero for a module signed by Intel.</summary>
    public ReadOnlyMemory<byte> MrSignerSeam => _raw.Slice(64, 48);

    /// <summary>SEAMATTRIBUTES, 8 bytes.</summary>
    public ReadOnlyMemory<byte> SeamAttributes => _raw.Slice(112, 8);

    /// <summary>TDATTRIBUTES, 8 bytes, least significant first.</summary>
    public ReadOnlyMemory<byte> TdAttributes => _raw.Slice(120, 8);

    /// <summary>XFAM, 8 bytes: processor features that the guest may use.</summary>
    public ReadOnlyMemory<byte> Xfam => _raw.Slice(128, 8);

    /// <summary>MRTD, 48 bytes: measurement of the initial memory.</summary>
    public ReadOnlyMemory<byte> MrTd => _raw.Slice(136, 48);

    /// <summary>MRCONFIGID, 48 bytes: init-data digest in Confidential Containers.</summary>
    public ReadOnlyMemory<byte> MrConfigId => _raw.Slice(184, 48);

    /// <summary>MROWNER, 48 bytes.</summary>
    public ReadOnlyMemory<byte> MrOwner => _raw.Slice(232, 48);

    /// <summary>MROWNERCONFIG, 48 bytes.</summary>
    public ReadOnlyMemory<byte> MrOwnerConfig => _raw.Slice(280, 48);

    /// <summary>REPORTDATA, 64 bytes.</summary>
    public ReadOnlyMemory<byte> ReportData => _raw.Slice(520, 64);

    /// <summary>TEE_TCB_SVN2, 16 bytes: the TDX module running now, if it was updated since launch. Empty in 1.0.</summary>
    public ReadOnlyMemory<byte> TeeTcbSvn2 => IsVersion15 ? _raw.Slice(584, 16) : default;

    /// <summary>MRSERVICETD, 48 bytes. Empty in 1.0.</summary>
    public ReadOnlyMemory<byte> MrServiceTd => IsVersion15 ? _raw.Slice(600, 48) : default;

    /// <summary>
    /// True if any bit of the TUD group ("TD under debug", the first byte of TDATTRIBUTES: DEBUG, and seven that are
    /// reserved for the same purpose) is set: whoever runs the machine may read the guest's memory.
    /// </summary>
    public bool IsDebug => TdAttributes.Span[0] != 0;

    /// <summary>RTMR0 to RTMR3, 48 bytes each.</summary>
    public ReadOnlyMemory<byte> Rtmr(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, 3u, nameof(index));
        return _raw.Slice(328 + (48 * index), 48);
    }

    /// <summary>Takes a body; nothing may follow it.</summary>
    /// <exception cref="MalformedDataException">It has another size than those of 1.0 and 1.5.</exception>
    public static TdReport Parse(ReadOnlyMemory<byte> raw) => raw.Length is Size10 or Size15
        ? new TdReport(raw)
        : throw new MalformedDataException("TD report", 0, $"{raw.Length} bytes, not {Size10} or {Size15}");
}
