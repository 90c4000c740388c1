using System.Buffers.Binary;

namespace Kist.Attestation.Snp;

/// <summary>
/// ATTESTATION_REPORT of SEV-SNP, versions 2 to 5 (AMD 56860 rev. 1.58 table 23). All numbers are little-endian.
/// <code>
/// offset  size  field
/// 0x000   4     VERSION
/// 0x004   4     GUEST_SVN
/// 0x008   8     POLICY
/// 0x010   16    FAMILY_ID
/// 0x020   16    IMAGE_ID
/// 0x030   4     VMPL
/// 0x034   4     SIGNATURE_ALGO             1 = ECDSA P-384 with SHA-384
/// 0x038   8     CURRENT_TCB
/// 0x040   8     PLATFORM_INFO
/// 0x048   4     AUTHOR_KEY_EN bit 0, MASK_CHIP_KEY bit 1, SIGNING_KEY bits 4:2
/// 0x04C   4     reserved
/// 0x050   64    REPORT_DATA
/// 0x090   48    MEASUREMENT
/// 0x0C0   32    HOST_DATA
/// 0x0E0   48    ID_KEY_DIGEST
/// 0x110   48    AUTHOR_KEY_DIGEST
/// 0x140   32    REPORT_ID
/// 0x160   32    REPORT_ID_MA
/// 0x180   8     REPORTED_TCB
/// 0x188   3     CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP   from version 3; zero before
/// 0x18B   21    reserved
/// 0x1A0   64    CHIP_ID
/// 0x1E0   8     COMMITTED_TCB
/// 0x1E8   4     CURRENT_BUILD, CURRENT_MINOR, CURRENT_MAJOR, reserved
/// 0x1EC   4     COMMITTED_BUILD, COMMITTED_MINOR, COMMITTED_MAJOR, reserved
/// 0x1F0   8     LAUNCH_TCB
/// 0x1F8   8     LAUNCH_MIT_VECTOR          from version 4; zero before
/// 0x200   8     CURRENT_MIT_VECTOR         from version 4; zero before
/// 0x208   152   reserved
/// 0x2A0   512   SIGNATURE: R 72, S 72, both little-endian, then 368 reserved
/// </code>
/// </summary>
public sealed class SnpReport
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 0x4A0;

    /// <summary>How many bytes from the start are signed.</summary>
    public const int SignedSize = 0x2A0;

    private readonly byte[] _bytes;

    internal SnpReport(byte[] bytes) => _bytes = bytes;

    /// <summary>The whole report.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The signed bytes.</summary>
    public ReadOnlyMemory<byte> SignedBytes => _bytes.AsMemory(0, SignedSize);

    /// <summary>VERSION.</summary>
    public uint Version => UInt32(0x000);

    /// <summary>GUEST_SVN, from the ID block.</summary>
    public uint GuestSvn => UInt32(0x004);

    /// <summary>POLICY.</summary>
    public SnpGuestPolicy Policy => new(UInt64(0x008));

    /// <summary>FAMILY_ID, 16 bytes, from the ID block.</summary>
    public ReadOnlyMemory<byte> FamilyId => _bytes.AsMemory(0x010, 16);

    /// <summary>IMAGE_ID, 16 bytes, from the ID block.</summary>
    public ReadOnlyMemory<byte> ImageId => _bytes.AsMemory(0x020, 16);

    /// <summary>VMPL: the privilege level the report was asked for at, 0 the highest; all ones if the host asked.</summary>
    public uint Vmpl => UInt32(0x030);

    /// <summary>SIGNATURE_ALGO.</summary>
    public uint SignatureAlgorithm => UInt32(0x034);

    /// <summary>PLATFORM_INFO.</summary>
    public SnpPlatformInfo PlatformInfo => new(UInt64(0x040));

    /// <summary>The 32 bits of AUTHOR_KEY_EN, MASK_CHIP_KEY and SIGNING_KEY.</summary>
    public uint KeyInfo => UInt32(0x048);

    /// <summary>AUTHOR_KEY_EN: <see cref="AuthorKeyDigest"/> is meant.</summary>
    public bool IsAuthorKeyEnabled => (KeyInfo & 1) != 0;

    /// <summary>MASK_CHIP_KEY: the host masks the chip's key, and the signature is zero.</summary>
    public bool IsChipKeyMasked => (KeyInfo & 2) != 0;

    /// <summary>SIGNING_KEY; a value outside the enumeration is reserved.</summary>
    public SnpSigningKey SigningKey => (SnpSigningKey)(KeyInfo >> 2 & 7);

    /// <summary>REPORT_DATA, 64 bytes that the guest chose.</summary>
    public ReadOnlyMemory<byte> ReportData => _bytes.AsMemory(0x050, 64);

    /// <summary>MEASUREMENT, 48 bytes: the launch digest.</summary>
    public ReadOnlyMemory<byte> Measurement => _bytes.AsMemory(0x090, 48);

    /// <summary>HOST_DATA, 32 bytes that the host set at launch.</summary>
    public ReadOnlyMemory<byte> HostData => _bytes.AsMemory(0x0C0, 32);

    /// <summary>ID_KEY_DIGEST, SHA-384 of the key that signed the ID block; zero without one.</summary>
    public ReadOnlyMemory<byte> IdKeyDigest => _bytes.AsMemory(0x0E0, 48);

    /// <summary>AUTHOR_KEY_DIGEST, SHA-384 of the key that certified the ID key; zero without one.</summary>
    public ReadOnlyMemory<byte> AuthorKeyDigest => _bytes.AsMemory(0x110, 48);

    /// <summary>REPORT_ID, 32 bytes, one a guest.</summary>
    public ReadOnlyMemory<byte> ReportId => _bytes.AsMemory(0x140, 32);

    /// <summary>REPORT_ID_MA, 32 bytes: the migration agent's REPORT_ID; all zeros or all ones without one.</summary>
    public ReadOnlyMemory<byte> MigrationAgentReportId => _bytes.AsMemory(0x160, 32);

    /// <summary>CPUID_FAM_ID, combined family; 0 before version 3.</summary>
    public byte CpuidFamily => _bytes[0x188];

    /// <summary>CPUID_MOD_ID, combined model; 0 before version 3.</summary>
    public byte CpuidModel => _bytes[0x189];

    /// <summary>CPUID_STEP; 0 before version 3.</summary>
    public byte CpuidStepping => _bytes[0x18A];

    /// <summary>CHIP_ID, 64 bytes; zero if the host masks it or the VLEK signs.</summary>
    public ReadOnlyMemory<byte> ChipId => _bytes.AsMemory(0x1A0, 64);

    /// <summary>CURRENT_MAJOR, CURRENT_MINOR and CURRENT_BUILD of the running firmware.</summary>
    public Version CurrentVersion => new(_bytes[0x1EA], _bytes[0x1E9], _bytes[0x1E8]);

    /// <summary>COMMITTED_MAJOR, COMMITTED_MINOR and COMMITTED_BUILD: the firmware cannot go below.</summary>
    public Version CommittedVersion => new(_bytes[0x1EE], _bytes[0x1ED], _bytes[0x1EC]);

    /// <summary>LAUNCH_MIT_VECTOR: mitigations in force at launch; 0 before version 4.</summary>
    public ulong LaunchMitigationVector => UInt64(0x1F8);

    /// <summary>CURRENT_MIT_VECTOR: mitigations in force now; 0 before version 4.</summary>
    public ulong CurrentMitigationVector => UInt64(0x200);

    /// <summary>SIGNATURE, 512 bytes.</summary>
    public ReadOnlyMemory<byte> Signature => _bytes.AsMemory(SignedSize, Size - SignedSize);

    /// <summary>The product line by CPUID; <see cref="SnpProduct.Unknown"/> before version 3, when the certificate says it.</summary>
    public SnpProduct Product => Version < 3 ? SnpProduct.Unknown : SnpProducts.FromCpuid(CpuidFamily, CpuidModel);

    /// <summary>CURRENT_TCB: of the running firmware.</summary>
    public SnpTcbVersion CurrentTcb(SnpProduct product) => SnpTcbVersion.Parse(_bytes.AsSpan(0x038, 8), product);

    /// <summary>REPORTED_TCB: what the signing key was derived from.</summary>
    public SnpTcbVersion ReportedTcb(SnpProduct product) => SnpTcbVersion.Parse(_bytes.AsSpan(0x180, 8), product);

    /// <summary>COMMITTED_TCB: the firmware cannot go below.</summary>
    public SnpTcbVersion CommittedTcb(SnpProduct product) => SnpTcbVersion.Parse(_bytes.AsSpan(0x1E0, 8), product);

    /// <summary>LAUNCH_TCB: the current TCB when the guest was launched or imported.</summary>
    public SnpTcbVersion LaunchTcb(SnpProduct product) => SnpTcbVersion.Parse(_bytes.AsSpan(0x1F0, 8), product);

    private uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));
}
