using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Testing;

namespace Kist.Console.Tests;

/// <summary>What a simulated machine is started with, for a quote to look at.</summary>
static class Launch
{
    public static LaunchInputs Inputs => new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "quiet",
        MemoryBytes = 512 << 20,
        MrConfigId = new byte[48],
        Profile = TdxLaunchProfile.Simulated,
    };
}
