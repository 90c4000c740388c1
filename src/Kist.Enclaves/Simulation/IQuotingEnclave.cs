using Kist.Enclaves.Sgx;

namespace Kist.Enclaves.Simulation;

/// <summary>What turns a report into a quote: Intel's quoting enclave, or the simulated one.</summary>
public interface IQuotingEnclave
{
    /// <summary>Whom a report must be made for.</summary>
    TargetInfo Target { get; }

    /// <summary>Signs a report whose MAC has been checked. A DCAP quote, version 3.</summary>
    byte[] Quote(ReportBody report);
}
