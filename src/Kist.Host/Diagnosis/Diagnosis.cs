using System.Globalization;
using System.Runtime.InteropServices;
using Kist.Pods.Machines;

namespace Kist.Host;

/// <summary>Looks at a machine and says what Kist can do on it and why.</summary>
public static class Diagnosis
{
    /// <summary>Everything that is looked at, in the order in which a start needs it.</summary>
    public static async Task<IReadOnlyList<DiagnosisItem>> RunAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        var items = new List<DiagnosisItem>
        {
            System(),
            Programs.File("machine.qemu", QemuProgram.Path, "runs the guests", "apt-get install qemu-system-x86", needed: true),
            Programs.File(
                "machine.firmware", "/usr/share/ovmf/OVMF.fd", "the guest's firmware, which measures what boots", "apt-get install ovmf", needed: true),
            await Virtualisation.AcceleratorAsync(cancellationToken).ConfigureAwait(false),
            Virtualisation.Vsock(),
            Programs.File("machine.socat", "/usr/bin/socat", "carries the guest's connections to broker and registry", "apt-get install socat", needed: true),
        };
        items.AddRange(TrustedHardware.All());
        items.Add(Resources.Memory());
        items.Add(Resources.Disk(state));
        items.Add(Programs.File("services.registry", "/usr/bin/docker-registry", "the development registry of kist up", "apt-get install docker-registry", needed: false));
        items.Add(Programs.File("guest.packages", "/usr/bin/apt-get", "kist guest build takes the kernel from Debian's packages", null, needed: false));
        items.Add(GuestImagePresent(state));
        items.Add(ServicesRunning(state));
        return items;
    }

    private static DiagnosisItem System()
    {
        var finding = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";
        return RuntimeInformation.OSArchitecture == Architecture.X64
            ? new("system", DiagnosisState.Ok, finding, "guests for x86-64 can be made and run")
            : new("system", DiagnosisState.Broken, finding, "guest images are made for x86-64 only", "use an x86-64 machine");
    }

    private static DiagnosisItem GuestImagePresent(StateDirectory state)
    {
        var manifest = Path.Combine(state.Guest, "manifest.json");
        return File.Exists(manifest)
            ? new("guest.image", DiagnosisState.Ok, manifest, "kernel, initrd and firmware of the guest are built")
            : new("guest.image", DiagnosisState.Absent, $"no {manifest}", "kist up builds it", "kist guest build");
    }

    private static DiagnosisItem ServicesRunning(StateDirectory state) => ServiceEndpoints.TryRead(state) is { } endpoints
        ? new("services", DiagnosisState.Ok, string.Create(CultureInfo.InvariantCulture, $"broker {endpoints.Broker}, registry {endpoints.Registry}"), "kist run can be used")
        : new("services", DiagnosisState.Absent, "no broker and registry run from this state directory", "kist run needs them", "kist up");
}
