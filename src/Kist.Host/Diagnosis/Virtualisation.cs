using Kist.Pods.Machines;

namespace Kist.Host;

/// <summary>What executes guests, found by trying rather than by a device's presence.</summary>
internal static class Virtualisation
{
    public static async Task<DiagnosisItem> AcceleratorAsync(CancellationToken cancellationToken)
    {
        var (accelerator, reason) = await AcceleratorProbe.ChooseAsync(cancellationToken).ConfigureAwait(false);
        if (accelerator == Accelerator.Kvm)
            return new("machine.accelerator", DiagnosisState.Ok, $"KVM: {reason}", "guests run at full speed");
        return await AcceleratorProbe.TryAsync(Accelerator.Tcg, cancellationToken).ConfigureAwait(false) is { } failure
            ? new("machine.accelerator", DiagnosisState.Broken, $"{reason}; emulation: {failure}", "no guest can run", "reinstall qemu-system-x86")
            : new("machine.accelerator", DiagnosisState.Ok, $"emulation (TCG), since {reason}", "guests run, several times slower than with KVM");
    }

    public static DiagnosisItem Vsock() => System.IO.File.Exists("/dev/vhost-vsock")
        ? new("machine.vsock", DiagnosisState.Ok, "/dev/vhost-vsock", "host and guest can speak over vsock")
        : new("machine.vsock", DiagnosisState.Absent, "no /dev/vhost-vsock", "host and guest speak over virtio-serial, which is as good");
}
