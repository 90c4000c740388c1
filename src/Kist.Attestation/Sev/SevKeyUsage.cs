namespace Kist.Attestation.Sev;

/// <summary>What a key of the SEV chain is for (AMD 55766, SEV API, table 111).</summary>
public enum SevKeyUsage : uint
{
    /// <summary>AMD root key.</summary>
    Ark = 0x0000,

    /// <summary>AMD SEV signing key.</summary>
    Ask = 0x0013,

    /// <summary>No key: the place of a signature that is not there.</summary>
    Invalid = 0x1000,

    /// <summary>Owner's certificate authority key.</summary>
    Oca = 0x1001,

    /// <summary>Platform endorsement key.</summary>
    Pek = 0x1002,

    /// <summary>Platform Diffie-Hellman key.</summary>
    Pdh = 0x1003,

    /// <summary>Chip endorsement key.</summary>
    Cek = 0x1004,
}
