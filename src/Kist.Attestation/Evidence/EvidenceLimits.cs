namespace Kist.Attestation;

/// <summary>The largest inputs that are looked at. Anything larger is refused before it is parsed.</summary>
public static class EvidenceLimits
{
    /// <summary>A piece of evidence in any form, in bytes.</summary>
    public const int Evidence = 16 * 1024 * 1024;

    /// <summary>An event log, in bytes.</summary>
    public const int EventLog = 8 * 1024 * 1024;

    /// <summary>A certificate chain in any form, in bytes.</summary>
    public const int CertificateChain = 256 * 1024;

    /// <summary>A CRL, in bytes.</summary>
    public const int Crl = 4 * 1024 * 1024;

    /// <summary>TCB info, enclave identity or another signed JSON statement, in bytes.</summary>
    public const int SignedJson = 1024 * 1024;
}
