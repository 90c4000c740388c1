namespace Kist.Measurement.Tdx;

/// <summary>Which bytes of the kernel the firmware loads and measures.</summary>
public enum KernelImageForm
{
    /// <summary>With QEMU's changes to the setup header.</summary>
    QemuPatched,

    /// <summary>As on disk: firmware and QEMU that use etc/boot/kernel (2025), or a boot loader that reads a file.</summary>
    Unmodified,
}
