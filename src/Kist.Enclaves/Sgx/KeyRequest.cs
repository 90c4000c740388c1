using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// KEYREQUEST: the operand of EGETKEY.
/// <code>
///    0    2  KEYNAME                                               Intel SDM vol. 3D, 36.18
///    2    2  KEYPOLICY
///    4    2  ISVSVN          at most the enclave's own
///    6    1  CET_ATTRIBUTES_MASK
///    7    1  reserved
///    8   16  CPUSVN          at most the platform's own
///   24   16  ATTRIBUTEMASK   INIT and DEBUG are always taken
///   40   32  KEYID
///   72    4  MISCMASK
///   76    2  CONFIGSVN       at most the enclave's own
///   78  434  reserved
/// </code>
/// </summary>
public sealed class KeyRequest : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 512;

    private const string Name = "KEYREQUEST";
    private const ushort KnownPolicies = 0x3f;

    /// <summary>An all-zero structure.</summary>
    public KeyRequest()
        : base(SizeInBytes)
    {
    }

    private KeyRequest(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>Parses a request; EGETKEY would fault on what is refused.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static KeyRequest Parse(ReadOnlySpan<byte> source)
    {
        var request = new KeyRequest(source);
        if (request.KeyName > KeyName.Seal)
            throw new MalformedDataException(Name, 0, $"KEYNAME {(ushort)request.KeyName} is unknown");
        if (((ushort)request.KeyPolicy & ~KnownPolicies) != 0)
            throw new MalformedDataException(Name, 2, "KEYPOLICY has unknown bits");
        request.RequireZero(Name, 7, 1, "reserved byte");
        request.RequireZero(Name, 78, 434, "reserved bytes");
        return request;
    }

    /// <summary>KEYNAME.</summary>
    public KeyName KeyName { get => (KeyName)UInt16(0); init => Set(0, (ushort)value); }

    /// <summary>KEYPOLICY.</summary>
    public KeyPolicy KeyPolicy { get => (KeyPolicy)UInt16(2); init => Set(2, (ushort)value); }

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn { get => UInt16(4); init => Set(4, value); }

    /// <summary>CPUSVN, 16 bytes.</summary>
    public ReadOnlySpan<byte> CpuSvn { get => Field(8, 16); init => Set(8, 16, value); }

    /// <summary>ATTRIBUTEMASK.</summary>
    public SgxAttributes AttributeMask { get => SgxAttributes.Read(Field(24, 16)); init => value.Write(Field(24, 16)); }

    /// <summary>KEYID, 32 bytes.</summary>
    public ReadOnlySpan<byte> KeyId { get => Field(40, 32); init => Set(40, 32, value); }

    /// <summary>MISCMASK.</summary>
    public uint MiscMask { get => UInt32(72); init => Set(72, value); }

    /// <summary>CONFIGSVN.</summary>
    public ushort ConfigSvn { get => UInt16(76); init => Set(76, value); }
}
