using System.Security.Cryptography;
using Kist.Enclaves.Sgx;
using Kist.Simulator;

namespace Kist.Enclaves.Simulation;

/// <summary>The quoting enclave of the simulated platform: quotes in the genuine format under a simulated vendor's root.</summary>
/// <param name="vendor">The vendor that certifies the platform.</param>
public sealed class SimulatedQuoting(SimulatedVendor vendor) : IQuotingEnclave
{
    private readonly SimulatedSgxPlatform _platform = new(vendor);

    /// <inheritdoc/>
    public TargetInfo Target { get; } = new()
    {
        MrEnclave = SHA256.HashData("kist simulated QE"u8),
        Attributes = new SgxAttributes(EnclaveTraits.Init | EnclaveTraits.Mode64Bit | EnclaveTraits.ProvisionKey, 0xe7),
    };

    /// <inheritdoc/>
    public byte[] Quote(ReportBody report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return _platform.Quote(
            new Kist.Simulator.SimulatedEnclave
            {
                MrEnclave = report.MrEnclave.ToArray(),
                MrSigner = report.MrSigner.ToArray(),
                Attributes = report.Memory.Slice(48, SgxAttributes.Size),
                MiscSelect = report.MiscSelect,
                IsvProdId = report.IsvProdId,
                IsvSvn = report.IsvSvn,
                ConfigId = report.ConfigId.ToArray(),
                ConfigSvn = report.ConfigSvn,
            },
            report.ReportData);
    }
}
