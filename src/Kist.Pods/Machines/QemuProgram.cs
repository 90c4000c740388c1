namespace Kist.Pods.Machines;

/// <summary>The monitor that runs guests, and what it is called here.</summary>
public static class QemuProgram
{
    /// <summary>Where Debian installs it.</summary>
    public const string Path = "/usr/bin/qemu-system-x86_64";

    /// <summary>The program that carries a guest's connections through its doors.</summary>
    public const string Socat = "/usr/bin/socat";

    internal static string NameOf(Accelerator accelerator) => accelerator == Accelerator.Kvm ? "kvm" : "tcg,thread=multi";

    /// <summary>
    /// The processor for emulation has what cryptography and the first random numbers need and no more: QEMU's "max"
    /// halves the speed of copying.
    /// </summary>
    internal static string CpuOf(Accelerator accelerator) => accelerator == Accelerator.Kvm
        ? "host"
        : "qemu64,+rdrand,+aes,+pclmulqdq,+ssse3,+sse4.1,+sse4.2,+popcnt";
}
