using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Simulator;
using Kist.Testing;

namespace Kist.KeyBroker.Bench;

/// <summary>A folder with a broker's state, the collateral of a simulated vendor, and a machine of that vendor's.</summary>
sealed class Setting : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("kist-bench-").FullName;

    public Setting()
    {
        Vendor = SimulatedVendor.FromSeed(new byte[32]);
        Collateral = SimulatedCollateral.Issue(Vendor, TimeProvider.System.GetUtcNow().AddHours(-1));
        SimulatedCollateralDirectory.Write(this["collateral"], Vendor, Collateral);
        Domain = new SimulatedTdxPlatform(Vendor).Launch(new LaunchInputs
        {
            Firmware = SyntheticOvmf.WithTdx().Build(),
            Kernel = new SyntheticKernel().Build(),
            Initrd = "initrd"u8.ToArray(),
            CommandLine = "quiet",
            MemoryBytes = 512 << 20,
            MrConfigId = new byte[48],
            Profile = TdxLaunchProfile.Simulated,
        });
    }

    public SimulatedVendor Vendor { get; }

    public SimulatedCollateral Collateral { get; }

    public SimulatedTrustDomain Domain { get; }

    public string Anchor => Path.Combine(this["collateral"], SimulatedCollateralDirectory.TrustAnchorFile);

    public string this[string name] => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
