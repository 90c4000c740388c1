namespace Kist.Attestation.Dcap;

/// <summary>What a quote carries about its PCK certificate (Intel SGX DCAP, "QE Certification Data").</summary>
public enum CertificationDataType
{
    /// <summary>PPID in the clear, CPUSVN, PCESVN, PCEID.</summary>
    PpidClear = 1,

    /// <summary>PPID encrypted with RSA-2048, CPUSVN, PCESVN, PCEID.</summary>
    PpidRsa2048 = 2,

    /// <summary>PPID encrypted with RSA-3072, CPUSVN, PCESVN, PCEID.</summary>
    PpidRsa3072 = 3,

    /// <summary>PCK leaf certificate, PEM.</summary>
    PckLeaf = 4,

    /// <summary>PCK certificate chain, PEM.</summary>
    PckChain = 5,

    /// <summary>QE report with further certification data inside.</summary>
    QeReport = 6,

    /// <summary>Platform manifest.</summary>
    PlatformManifest = 7,
}
