using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// SIGSTRUCT: the signer's statement about an enclave, and the key that makes MRSIGNER.
/// <code>
///    0   12  HEADER           06000000e100000000000100             Intel SDM vol. 3D, 36.14
///   12    4  TYPE             bit 31: debug; other bits zero
///   16    4  VENDOR           0x8086 Intel, 0 others
///   20    4  DATE             BCD yyyymmdd by the specification; real signers write other things
///   24   16  HEADER2          01010000600000006000000001000000
///   40    4  SWDEFINED
///   44   84  reserved
///  128  384  MODULUS          little-endian
///  512    4  EXPONENT         3
///  516  384  SIGNATURE        little-endian; RSASSA-PKCS1-v1_5 with SHA-256 over bytes 0–127 and 900–1027
///  900    4  MISCSELECT
///  904    4  MISCMASK
///  908    1  CET_ATTRIBUTES
///  909    1  CET_ATTRIBUTES_MASK
///  910    2  reserved
///  912   16  ISVFAMILYID
///  928   16  ATTRIBUTES
///  944   16  ATTRIBUTEMASK
///  960   32  ENCLAVEHASH
///  992   16  reserved
/// 1008   16  ISVEXTPRODID
/// 1024    2  ISVPRODID
/// 1026    2  ISVSVN
/// 1028   12  reserved
/// 1040  384  Q1               floor(S² / N)
/// 1424  384  Q2               floor((S³ − Q1·S·N) / N)
/// </code>
/// </summary>
public sealed class Sigstruct : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 1808;

    /// <summary>Bytes of the modulus, of the signature, of Q1 and of Q2.</summary>
    public const int RsaSize = 384;

    /// <summary>Bytes of the message that is signed.</summary>
    public const int SignedSize = 256;

    private const string Name = "SIGSTRUCT";
    private const uint DebugType = 0x8000_0000;

    private Sigstruct(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name)
    {
    }

    /// <summary>The fixed bytes at offset 0.</summary>
    public static ReadOnlySpan<byte> Header => [6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0];

    /// <summary>The fixed bytes at offset 24.</summary>
    public static ReadOnlySpan<byte> Header2 => [1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0];

    /// <summary>Parses a structure; its signature is not verified (see Kist.Enclaves.Signing.SigstructVerifier).</summary>
    /// <exception cref="MalformedDataException">EINIT would fault on it.</exception>
    public static Sigstruct Parse(ReadOnlySpan<byte> source)
    {
        var sig = new Sigstruct(source);
        sig.RequireBytes(Name, 0, Header, "HEADER");
        if ((sig.UInt32(12) & ~DebugType) != 0)
            throw new MalformedDataException(Name, 12, "TYPE has unknown bits");
        sig.RequireBytes(Name, 24, Header2, "HEADER2");
        sig.RequireZero(Name, 44, 84, "reserved bytes");
        if (sig.Exponent != 3)
            throw new MalformedDataException(Name, 512, $"EXPONENT is {sig.Exponent}, not 3");
        sig.RequireZero(Name, 910, 2, "reserved bytes");
        sig.RequireZero(Name, 992, 16, "reserved bytes");
        sig.RequireZero(Name, 1028, 12, "reserved bytes");
        return sig;
    }

    /// <summary>TYPE bit 31: the signer says that this is not a release.</summary>
    public bool IsDebugType => UInt32(12) == DebugType;

    /// <summary>VENDOR.</summary>
    public uint Vendor => UInt32(16);

    /// <summary>DATE as it is stored: BCD yyyymmdd by the specification.</summary>
    public uint Date => UInt32(20);

    /// <summary>SWDEFINED.</summary>
    public uint SwDefined => UInt32(40);

    /// <summary>MODULUS, 384 bytes, little-endian.</summary>
    public ReadOnlySpan<byte> Modulus => Field(128, RsaSize);

    /// <summary>EXPONENT.</summary>
    public uint Exponent => UInt32(512);

    /// <summary>SIGNATURE, 384 bytes, little-endian.</summary>
    public ReadOnlySpan<byte> Signature => Field(516, RsaSize);

    /// <summary>MISCSELECT.</summary>
    public uint MiscSelect => UInt32(900);

    /// <summary>MISCMASK.</summary>
    public uint MiscMask => UInt32(904);

    /// <summary>ISVFAMILYID, 16 bytes.</summary>
    public ReadOnlySpan<byte> IsvFamilyId => Field(912, 16);

    /// <summary>ATTRIBUTES.</summary>
    public SgxAttributes Attributes => SgxAttributes.Read(Field(928, 16));

    /// <summary>ATTRIBUTEMASK: the attributes that are enforced.</summary>
    public SgxAttributes AttributeMask => SgxAttributes.Read(Field(944, 16));

    /// <summary>ENCLAVEHASH: the MRENCLAVE that the signer signed, 32 bytes.</summary>
    public ReadOnlySpan<byte> EnclaveHash => Field(960, 32);

    /// <summary>ISVEXTPRODID, 16 bytes.</summary>
    public ReadOnlySpan<byte> IsvExtProdId => Field(1008, 16);

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId => UInt16(1024);

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn => UInt16(1026);

    /// <summary>Q1, 384 bytes, little-endian.</summary>
    public ReadOnlySpan<byte> Q1 => Field(1040, RsaSize);

    /// <summary>Q2, 384 bytes, little-endian.</summary>
    public ReadOnlySpan<byte> Q2 => Field(1424, RsaSize);

    /// <summary>The 256 bytes that are signed: bytes 0–127 and 900–1027.</summary>
    public byte[] SignedBytes() => [.. Bytes[..128], .. Bytes[900..1028]];

    /// <summary>MRSIGNER: SHA-256 of MODULUS as stored. 32 bytes.</summary>
    public byte[] MrSigner() => SHA256.HashData(Modulus);
}
