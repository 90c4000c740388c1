using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Pods.Machines;

/// <summary>
/// Finds out by trying whether KVM works here. That /dev/kvm opens proves nothing: nested and emulated KVMs exist that
/// stop at the first floating-point instruction. The probe runs a firmware of a few dozen bytes that uses what a kernel
/// needs early, and that ends QEMU with a status of its own.
/// </summary>
public static class AcceleratorProbe
{
    /// <summary>Generous, since a machine with other work to do must not make a working KVM look broken.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>isa-debug-exit ends QEMU with (value &lt;&lt; 1) | 1; the firmware writes 0x10.</summary>
    private const int Reached = 0x21;

    /// <summary>16-bit code at F000:F000, reached from the reset vector by a near jump.</summary>
    private static ReadOnlySpan<byte> Code =>
    [
        0x9b,                               // fwait
        0xdb, 0xe3,                         // fninit
        0x0f, 0x20, 0xe0,                   // mov eax, cr4
        0x66, 0x0d, 0x00, 0x02, 0x00, 0x00, // or eax, OSFXSR
        0x0f, 0x22, 0xe0,                   // mov cr4, eax
        0x0f, 0x20, 0xc0,                   // mov eax, cr0
        0x24, 0xfb,                         // and al, ~EM
        0x0c, 0x02,                         // or al, MP
        0x0f, 0x22, 0xc0,                   // mov cr0, eax
        0x0f, 0x57, 0xc0,                   // xorps xmm0, xmm0
        0x66, 0x0f, 0xef, 0xc9,             // pxor xmm1, xmm1
        0x0f, 0xa2,                         // cpuid
        0x0f, 0x31,                         // rdtsc
        0xba, 0xf4, 0x00,                   // mov dx, 0xf4
        0xb0, 0x10,                         // mov al, 0x10
        0xee,                               // out dx, al
        0xf4,                               // hlt
        0xeb, 0xfd,                         // jmp to the hlt
    ];

    /// <summary>KVM if it runs the probe within ten seconds, TCG otherwise; the reason is for people.</summary>
    public static async Task<(Accelerator Accelerator, string Reason)> ChooseAsync(CancellationToken cancellationToken = default)
    {
        if (!File.Exists("/dev/kvm"))
            return (Accelerator.Tcg, "/dev/kvm does not exist");
        return await TryAsync(Accelerator.Kvm, cancellationToken).ConfigureAwait(false) is { } failure
            ? (Accelerator.Tcg, $"KVM does not work: {failure}")
            : (Accelerator.Kvm, "KVM ran the probe");
    }

    /// <summary>Runs the probe; null if it succeeded, otherwise why it did not.</summary>
    public static async Task<string?> TryAsync(Accelerator accelerator, CancellationToken cancellationToken = default)
    {
        var firmware = new byte[64 << 10];
        Code.CopyTo(firmware.AsSpan(0xf000));
        new byte[] { 0xe9, 0x0d, 0xf0 }.CopyTo(firmware, 0xfff0); // jmp 0xf000 from 0xfff3
        using var file = Linux.Files.SealedMemoryFile.Create("kist-probe", new MemoryStream(firmware), firmware.Length);
        ChildProcess qemu;
        try
        {
            qemu = ChildProcess.StartTied(new ChildStart
            {
                Program = QemuProgram.Path,
                Arguments =
                [
                    "-M", "pc", "-accel", QemuProgram.NameOf(accelerator), "-cpu", QemuProgram.CpuOf(accelerator), "-m", "16",
                    "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-bios", "/dev/fd/200",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                ],
                Files = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [200] = file },
            });
        }
        catch (OperationFailedException e)
        {
            return e.Message;
        }

        try
        {
            var exit = await qemu.Exited.WaitAsync(Limit, cancellationToken).ConfigureAwait(false);
            return exit.ExitCode == Reached ? null : $"QEMU ended with status {exit.ExitCode} before the probe had run";
        }
        catch (TimeoutException)
        {
            return $"the probe had not run after {Limit.TotalSeconds:0} s";
        }
        finally
        {
            qemu.Signal(Signals.Kill);
        }
    }
}
