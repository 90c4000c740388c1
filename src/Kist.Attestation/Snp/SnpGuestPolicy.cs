namespace Kist.Attestation.Snp;

/// <summary>
/// POLICY: what the host may do with the guest, fixed at launch (AMD 56860 section 4.3).
/// <code>
/// bit    field
/// 7:0    ABI_MINOR
/// 15:8   ABI_MAJOR
/// 16     SMT
/// 17     reserved, must be one
/// 18     MIGRATE_MA
/// 19     DEBUG
/// 20     SINGLE_SOCKET
/// 21     CXL_ALLOW
/// 22     MEM_AES_256_XTS
/// 23     RAPL_DIS
/// 24     CIPHERTEXT_HIDING_DRAM
/// 25     PAGE_SWAP_DISABLE
/// 63:26  reserved, must be zero
/// </code>
/// </summary>
/// <param name="Value">The 64 bits.</param>
public readonly record struct SnpGuestPolicy(ulong Value)
{
    private const ulong KnownBits = (1UL << 26) - 1;

    /// <summary>ABI_MINOR: lowest minor version of the firmware's interface.</summary>
    public byte AbiMinor => (byte)Value;

    /// <summary>ABI_MAJOR: lowest major version of the firmware's interface.</summary>
    public byte AbiMajor => (byte)(Value >> 8);

    /// <summary>SMT: the host may run with simultaneous multithreading.</summary>
    public bool IsSmtAllowed => Bit(16);

    /// <summary>MIGRATE_MA: a migration agent may be associated.</summary>
    public bool IsMigrationAgentAllowed => Bit(18);

    /// <summary>DEBUG: the host may read and write the guest's memory.</summary>
    public bool IsDebugAllowed => Bit(19);

    /// <summary>SINGLE_SOCKET: the guest runs on one socket only.</summary>
    public bool IsSingleSocketRequired => Bit(20);

    /// <summary>CXL_ALLOW: CXL memory and devices may be populated.</summary>
    public bool IsCxlAllowed => Bit(21);

    /// <summary>MEM_AES_256_XTS: memory must be encrypted with AES-256-XTS.</summary>
    public bool IsAes256XtsRequired => Bit(22);

    /// <summary>RAPL_DIS: running average power limit must be off.</summary>
    public bool IsRaplDisabledRequired => Bit(23);

    /// <summary>CIPHERTEXT_HIDING_DRAM: ciphertext hiding must be on.</summary>
    public bool IsCiphertextHidingRequired => Bit(24);

    /// <summary>PAGE_SWAP_DISABLE: page swapping commands are off.</summary>
    public bool IsPageSwapDisabled => Bit(25);

    /// <summary>True if the reserved bits are as they must be.</summary>
    public bool IsWellFormed => Bit(17) && (Value & ~KnownBits) == 0;

    /// <inheritdoc/>
    public override string ToString() => $"0x{Value:x}";

    private bool Bit(int bit) => (Value >> bit & 1) != 0;
}
