namespace Kist.Simulator;

/// <summary>How a simulated platform and its quotes are to be, for tests of a verifier. The defaults are faultless.</summary>
public sealed record SimulatedPlatformOptions
{
    /// <summary>A faultless platform.</summary>
    public static SimulatedPlatformOptions Default { get; } = new();

    /// <summary>Which machine of the vendor it is; each number is another PPID and PCK.</summary>
    public int Instance { get; init; }

    /// <summary>The status at which its TCB is to be judged.</summary>
    public SimulatedTcbStatus Tcb { get; init; } = SimulatedTcbStatus.UpToDate;

    /// <summary>False for a single-package platform, which the processor authority certifies.</summary>
    public bool IsMultiPackage { get; init; } = true;

    /// <summary>The signature of quotes does not hold.</summary>
    public bool BadQuoteSignature { get; init; }

    /// <summary>The signature of the quoting enclave's report does not hold.</summary>
    public bool BadQeReportSignature { get; init; }

    /// <summary>The quoting enclave's report does not bind the attestation key.</summary>
    public bool BadQeBinding { get; init; }

    /// <summary>The quoting enclave was started for debugging.</summary>
    public bool DebugQuotingEnclave { get; init; }

    /// <summary>
    /// Quotes carry the PCK chain of this other vendor, whose certificates have the same names; null for the own.
    /// </summary>
    public SimulatedVendor? ChainOf { get; init; }
}
