using Kist.Measurement.Tdx;

namespace Kist.Measurement.Qemu;

/// <summary>The blobs by which QEMU hands the ACPI tables to firmware, as the firmware read them.</summary>
/// <param name="TableLoader">etc/table-loader: the commands by which firmware links the tables.</param>
/// <param name="Rsdp">etc/acpi/rsdp.</param>
/// <param name="Tables">etc/acpi/tables.</param>
public sealed record AcpiBlobs(ReadOnlyMemory<byte> TableLoader, ReadOnlyMemory<byte> Rsdp, ReadOnlyMemory<byte> Tables)
{
    /// <summary>Their digests, as RTMR0 takes them.</summary>
    public AcpiDigests Digests => AcpiDigests.Of(TableLoader.Span, Rsdp.Span, Tables.Span);
}
