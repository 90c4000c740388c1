using Kist.Agent.Boot;
using Kist.Linux.Files;
using Kist.Pods.Protocol;

namespace Kist.Agent.Tee;

/// <summary>
/// Finds out which TEE this guest runs in. Hardware comes first: a host cannot make a guest on hardware use the simulator.
/// A guest on no TEE has none; there is no fallback that would only look like one.
/// </summary>
static class TeeDetector
{
    public static async Task<ITee?> DetectAsync()
    {
        if (Hardware() is { } tee)
            return tee;
        return VirtioPorts.Exists(PodPorts.Simulator) ? new SimulatedTdx(await VirtioPorts.OpenAsync(PodPorts.Simulator)) : null;
    }

    private static ITee? Hardware()
    {
        if (!File.Exists("/dev/tdx_guest") && !File.Exists("/dev/sev-guest"))
            return null;
        if (!Directory.Exists("/sys/kernel/config/tsm"))
            Mounts.Mount("configfs", "/sys/kernel/config", "configfs");
        var reports = new ConfigfsReport();
        return reports.Provider() switch
        {
            "tdx_guest" => new ConfigfsTsmTdx(reports),
            "sev_guest" => new SevGuest(reports),
            var other => throw new Formats.OperationFailedException("detect TEE", other, "the kernel's evidence provider is not known here"),
        };
    }
}
