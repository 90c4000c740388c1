namespace Kist.Measurement.Qemu;

/// <summary>QEMU's x86 machine type, which decides where memory and the initrd lie.</summary>
public enum QemuMachine
{
    /// <summary>q35: PCI Express.</summary>
    Q35,

    /// <summary>pc (i440fx).</summary>
    Pc,
}
