using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// TCS, a thread's control page. Offsets in it are relative to the enclave's base.
/// <code>
///    0     8  reserved (STAGE)                                     Intel SDM vol. 3D, 36.8
///    8     8  FLAGS        bit 0 DBGOPTIN, bit 1 AEXNOTIFY
///   16     8  OSSA         offset of the SSA stack, page aligned
///   24     4  CSSA         current frame; zero when added
///   28     4  NSSA         frames
///   32     8  OENTRY       offset of the entry point
///   40     8  reserved (AEP)
///   48     8  OFSBASE
///   56     8  OGSBASE
///   64     4  FSLIMIT
///   68     4  GSLIMIT
///   72  4024  reserved (CET: OCETSSA 8, PREVSSP 8)
/// </code>
/// </summary>
public sealed class Tcs : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 4096;

    private const string Name = "TCS";
    private const int EndOfFields = 72;

    /// <summary>An all-zero structure.</summary>
    public Tcs()
        : base(SizeInBytes)
    {
    }

    private Tcs(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a TCS as a loader adds it.</summary>
    /// <exception cref="MalformedDataException">EADD would fault on it.</exception>
    public static Tcs Parse(ReadOnlySpan<byte> source)
    {
        var tcs = new Tcs(source);
        tcs.RequireZero(Name, 0, 8, "STAGE");
        if ((tcs.Flags & ~3ul) != 0)
            throw new MalformedDataException(Name, 8, "FLAGS has unknown bits");
        if (tcs.SsaOffset % 4096 != 0)
            throw new MalformedDataException(Name, 16, "OSSA must be page aligned");
        if (tcs.CurrentSsaFrame != 0)
            throw new MalformedDataException(Name, 24, "CSSA must be zero");
        tcs.RequireZero(Name, 40, 8, "AEP");
        if (tcs.FsBaseOffset % 4096 != 0 || tcs.GsBaseOffset % 4096 != 0)
            throw new MalformedDataException(Name, 48, "OFSBASE and OGSBASE must be page aligned");
        tcs.RequireZero(Name, EndOfFields, SizeInBytes - EndOfFields, "reserved bytes");
        return tcs;
    }

    /// <summary>FLAGS.</summary>
    public ulong Flags { get => UInt64(8); init => Set(8, value); }

    /// <summary>OSSA.</summary>
    public ulong SsaOffset { get => UInt64(16); init => Set(16, value); }

    /// <summary>CSSA.</summary>
    public uint CurrentSsaFrame => UInt32(24);

    /// <summary>NSSA.</summary>
    public uint SsaFrameCount { get => UInt32(28); init => Set(28, value); }

    /// <summary>OENTRY.</summary>
    public ulong EntryOffset { get => UInt64(32); init => Set(32, value); }

    /// <summary>OFSBASE.</summary>
    public ulong FsBaseOffset { get => UInt64(48); init => Set(48, value); }

    /// <summary>OGSBASE.</summary>
    public ulong GsBaseOffset { get => UInt64(56); init => Set(56, value); }

    /// <summary>FSLIMIT.</summary>
    public uint FsLimit { get => UInt32(64); init => Set(64, value); }

    /// <summary>GSLIMIT.</summary>
    public uint GsLimit { get => UInt32(68); init => Set(68, value); }

    /// <summary>
    /// The page that the Intel SDK's loader adds: a template of the first fields whose three offsets are relative to
    /// where the page lies.
    /// </summary>
    /// <param name="template">At most 4096 bytes, at least the 72 of the fields.</param>
    /// <param name="pageOffset">Offset of the page in the enclave.</param>
    internal static Tcs FromTemplate(ReadOnlySpan<byte> template, ulong pageOffset)
    {
        if (template.Length is < EndOfFields or > SizeInBytes)
            throw new MalformedDataException("TCS template", -1, $"{template.Length} bytes, not between {EndOfFields} and {SizeInBytes}");
        Span<byte> page = stackalloc byte[SizeInBytes];
        page.Clear();
        template.CopyTo(page);
        var tcs = new Tcs(page);
        tcs.Set(16, unchecked(tcs.SsaOffset + pageOffset));
        tcs.Set(48, unchecked(tcs.FsBaseOffset + pageOffset));
        tcs.Set(56, unchecked(tcs.GsBaseOffset + pageOffset));
        return tcs;
    }
}
