namespace Kist.Measurement.Tdx;

/// <summary>
/// SHA-384 of the three blobs by which QEMU hands the ACPI tables to the firmware. They depend on QEMU's version and on
/// every device of the machine.
/// </summary>
/// <param name="TableLoader">Of etc/table-loader.</param>
/// <param name="Rsdp">Of etc/acpi/rsdp.</param>
/// <param name="Tables">Of etc/acpi/tables.</param>
public sealed record AcpiDigests(HashValue TableLoader, HashValue Rsdp, HashValue Tables)
{
    /// <summary>The digests of these blobs.</summary>
    public static AcpiDigests Of(ReadOnlySpan<byte> tableLoader, ReadOnlySpan<byte> rsdp, ReadOnlySpan<byte> tables) =>
        new(HashValue.Sha384(tableLoader), HashValue.Sha384(rsdp), HashValue.Sha384(tables));
}
