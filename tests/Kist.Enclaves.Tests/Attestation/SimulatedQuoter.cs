using System.Security.Cryptography;
using Kist.Attestation;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Simulation;
using Kist.Enclaves.Tests.Signing;
using Kist.Simulator;
using SimulatedEnclave = Kist.Enclaves.Simulation.SimulatedEnclave;

namespace Kist.Enclaves.Tests.Attestation;

/// <summary>An enclave on a simulated platform, in this process, with what a verifier needs to judge it.</summary>
sealed class SimulatedQuoter : IEnclaveQuoter, IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private readonly SimulatedVendor _vendor = SimulatedVendor.FromSeed(SHA256.HashData("vendor"u8));

    public SimulatedQuoter(string content = "enclave", bool debug = false, ushort product = 3, ushort version = 4)
    {
        Processor = new SimulatedProcessor(SHA256.HashData("root"u8));
        Quoting = new SimulatedQuoting(_vendor);
        var page = new byte[4096];
        System.Text.Encoding.ASCII.GetBytes(content).CopyTo(page, 0);
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, page, true)]);
        var fields = new SigstructFields
        {
            EnclaveHash = image.Measure(),
            IsvProdId = product,
            IsvSvn = version,
            Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | (debug ? EnclaveTraits.Debug : 0), 3),
        };
        Enclave = SimulatedProcessor.Initialize(image, fields.Attributes, SigstructComposer.Sign(fields, SigningKeys.First));
    }

    public SimulatedProcessor Processor { get; }

    public SimulatedQuoting Quoting { get; }

    public SimulatedEnclave Enclave { get; }

    public string MrEnclave => Convert.ToHexStringLower(Enclave.Secs.MrEnclave);

    public string MrSigner => Convert.ToHexStringLower(Enclave.Secs.MrSigner);

    public VerificationOptions Options => new()
    {
        Time = Now,
        Anchors = TrustAnchorSet.Empty.With(_vendor.IntelAnchor),
        Collateral = SimulatedCollateral.Issue(_vendor, Now.AddHours(-1)),
        AllowSimulated = true,
    };

    public Task<byte[]> QuoteAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        var data = new byte[64];
        reportData.CopyTo(data);
        return Task.FromResult(Quoting.Quote(Processor.Report(Enclave, Quoting.Target, data).Body));
    }

    public void Dispose() => Processor.Dispose();
}
