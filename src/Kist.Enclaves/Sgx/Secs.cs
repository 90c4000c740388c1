using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// SECS, the enclave's control page, as the loader hands it to ECREATE and as EINIT completes it.
/// <code>
///    0     8  SIZE            bytes; a power of two                Intel SDM vol. 3D, 36.7
///    8     8  BASEADDR        aligned to SIZE
///   16     4  SSAFRAMESIZE    pages of one SSA frame
///   20     4  MISCSELECT
///   24    24  reserved (CET_LEG_BITMAP_OFFSET 8, CET_ATTRIBUTES 1, zero 15)
///   48    16  ATTRIBUTES
///   64    32  MRENCLAVE
///   96    32  reserved
///  128    32  MRSIGNER
///  160    32  reserved
///  192    64  CONFIGID
///  256     2  ISVPRODID
///  258     2  ISVSVN
///  260     2  CONFIGSVN
///  262  3834  reserved; the processor keeps ISVEXTPRODID and ISVFAMILYID in model-specific places of it
/// </code>
/// </summary>
public sealed class Secs : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 4096;

    private const string Name = "SECS";

    /// <summary>An all-zero structure.</summary>
    public Secs()
        : base(SizeInBytes)
    {
    }

    private Secs(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a SECS; reserved bytes must be zero.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static Secs Parse(ReadOnlySpan<byte> source)
    {
        var secs = new Secs(source);
        if (secs.EnclaveSize < 2 * 4096 || !ulong.IsPow2(secs.EnclaveSize))
            throw new MalformedDataException(Name, 0, "SIZE must be a power of two of at least 8192");
        if (secs.BaseAddress % secs.EnclaveSize != 0)
            throw new MalformedDataException(Name, 8, "BASEADDR must be aligned to SIZE");
        if (secs.SsaFrameSize == 0)
            throw new MalformedDataException(Name, 16, "SSAFRAMESIZE must be at least 1");
        secs.RequireZero(Name, 24, 24, "reserved bytes");
        secs.RequireZero(Name, 96, 32, "reserved bytes");
        secs.RequireZero(Name, 160, 32, "reserved bytes");
        secs.RequireZero(Name, 262, SizeInBytes - 262, "reserved bytes");
        return secs;
    }

    /// <summary>SIZE: bytes of the enclave's address range.</summary>
    public ulong EnclaveSize { get => UInt64(0); init => Set(0, value); }

    /// <summary>BASEADDR: where the range starts.</summary>
    public ulong BaseAddress { get => UInt64(8); init => Set(8, value); }

    /// <summary>SSAFRAMESIZE in pages.</summary>
    public uint SsaFrameSize { get => UInt32(16); init => Set(16, value); }

    /// <summary>MISCSELECT: what is reported in the SSA's MISC region.</summary>
    public uint MiscSelect { get => UInt32(20); init => Set(20, value); }

    /// <summary>ATTRIBUTES.</summary>
    public SgxAttributes Attributes { get => SgxAttributes.Read(Field(48, 16)); init => value.Write(Field(48, 16)); }

    /// <summary>MRENCLAVE, 32 bytes.</summary>
    public ReadOnlySpan<byte> MrEnclave { get => Field(64, 32); init => Set(64, 32, value); }

    /// <summary>MRSIGNER, 32 bytes.</summary>
    public ReadOnlySpan<byte> MrSigner { get => Field(128, 32); init => Set(128, 32, value); }

    /// <summary>CONFIGID, 64 bytes: chosen by whoever loads the enclave, and reported.</summary>
    public ReadOnlySpan<byte> ConfigId { get => Field(192, 64); init => Set(192, 64, value); }

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId { get => UInt16(256); init => Set(256, value); }

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn { get => UInt16(258); init => Set(258, value); }

    /// <summary>CONFIGSVN.</summary>
    public ushort ConfigSvn { get => UInt16(260); init => Set(260, value); }

    /// <summary>
    /// What EINIT leaves behind: the measurement, and the identity that <paramref name="sigstruct"/> gives the enclave.
    /// The caller has checked both.
    /// </summary>
    internal Secs Initialized(ReadOnlySpan<byte> mrEnclave, Sigstruct sigstruct)
    {
        var done = new Secs(Bytes);
        (Attributes with { Flags = Attributes.Flags | EnclaveTraits.Init }).Write(done.Field(48, 16));
        done.Set(64, 32, mrEnclave);
        done.Set(128, 32, SHA256.HashData(sigstruct.Modulus));
        done.Set(256, sigstruct.IsvProdId);
        done.Set(258, sigstruct.IsvSvn);
        return done;
    }
}
