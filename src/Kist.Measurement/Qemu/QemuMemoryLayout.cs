namespace Kist.Measurement.Qemu;

/// <summary>How QEMU splits a guest's memory around the hole below 4 GiB (hw/i386/pc_q35.c and pc_piix.c).</summary>
static class QemuMemoryLayout
{
    /// <summary>Memory that QEMU keeps free below the top of low memory for the ACPI tables (PCMachineClass.acpi_data_size).</summary>
    public const uint AcpiDataSize = 0x20000 + 0x8000;

    /// <summary>Bytes of memory below 4 GiB; the rest starts at 4 GiB.</summary>
    public static ulong Below4GiB(QemuMachine machine, ulong memoryBytes) => machine switch
    {
        QemuMachine.Q35 => memoryBytes >= 0xb0000000 ? 0x80000000 : memoryBytes,
        QemuMachine.Pc => memoryBytes >= 0xe0000000 ? 0xc0000000 : memoryBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(machine), machine, "is not a known machine"),
    };
}
