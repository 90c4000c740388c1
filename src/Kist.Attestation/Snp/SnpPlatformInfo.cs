namespace Kist.Attestation.Snp;

/// <summary>
/// PLATFORM_INFO: how the machine is set up (AMD 56860 table "PLATFORM_INFO Field"). Bits that are not named here occur on
/// real machines and decide nothing.
/// </summary>
/// <param name="Value">The 64 bits.</param>
public readonly record struct SnpPlatformInfo(ulong Value)
{
    /// <summary>SMT_EN, bit 0.</summary>
    public bool IsSmtEnabled => Bit(0);

    /// <summary>TSME_EN, bit 1: transparent memory encryption.</summary>
    public bool IsTsmeEnabled => Bit(1);

    /// <summary>ECC_EN, bit 2: the memory corrects errors.</summary>
    public bool IsEccEnabled => Bit(2);

    /// <summary>RAPL_DIS, bit 3: running average power limit is off.</summary>
    public bool IsRaplDisabled => Bit(3);

    /// <summary>CIPHERTEXT_HIDING_DRAM_EN, bit 4.</summary>
    public bool IsCiphertextHidingEnabled => Bit(4);

    /// <summary>ALIAS_CHECK_COMPLETE, bit 5: the check against aliased memory (CVE-2024-21944) ran since the last reset.</summary>
    public bool IsAliasCheckComplete => Bit(5);

    /// <summary>TIO_EN, bit 7: trusted I/O.</summary>
    public bool IsTioEnabled => Bit(7);

    /// <inheritdoc/>
    public override string ToString() => $"0x{Value:x}";

    private bool Bit(int bit) => (Value >> bit & 1) != 0;
}
