using System.Buffers.Binary;
using System.Collections.Immutable;
using Kist.Measurement.EventLogs;
using Kist.Measurement.Firmware;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Tdx;

/// <summary>The events that TDVF measures into RTMR0 and RTMR1, each made of its input.</summary>
static class TdxFirmwareEvents
{
    private static readonly Guid OvmfTokenSpace = new("93bb96af-b9f2-4eb8-9462-e0ba74564236");
    private static readonly Guid QemuFileSystem = new("1428f772-b64a-441e-b8c3-9ebdd7f893c7");

    /// <summary>EV_EFI_HANDOFF_TABLES2: the hand-off block list.</summary>
    public static MeasuredEvent HandOffBlocks(ReadOnlySpan<byte> list, ulong address)
    {
        // UEFI_HANDOFF_TABLE_POINTERS2: size and text of the description, one table: GUID and address.
        var data = new byte[42];
        data[0] = 9;
        "TdxTable\0"u8.CopyTo(data.AsSpan(1));
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(10), 1);
        OvmfTokenSpace.TryWriteBytes(data.AsSpan(18));
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(34), address);
        return Event(0, TcgEventType.EfiHandoffTables2, HashValue.Sha384(list), data, "memory", "hand-off block list: the guest's memory map");
    }

    /// <summary>EV_EFI_PLATFORM_FIRMWARE_BLOB2: the firmware's configuration volume.</summary>
    public static MeasuredEvent ConfigurationVolume(OvmfImage firmware, TdvfSection section)
    {
        // UEFI_PLATFORM_FIRMWARE_BLOB2: size and text of the description, base, length.
        var data = new byte[58];
        data[0] = 41;
        "Fv(XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX)\0"u8.CopyTo(data.AsSpan(1));
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(42), section.MemoryAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(50), section.MemorySize);
        var volume = firmware.Bytes.Span.Slice(section.DataOffset, section.RawDataSize);
        return Event(0, TcgEventType.EfiPlatformFirmwareBlob2, HashValue.Sha384(volume), data, "firmware", "configuration firmware volume (UEFI variables)");
    }

    /// <summary>EV_EFI_VARIABLE_DRIVER_CONFIG: a Secure Boot variable; the digest is over the data as logged.</summary>
    public static MeasuredEvent SecureBootVariable(Guid vendor, string name, ReadOnlySpan<byte> value)
    {
        var data = EfiVariable.MeasuredForm(vendor, name, value);
        return Event(0, TcgEventType.EfiVariableDriverConfig, HashValue.Sha384(data), data, "secure boot", $"variable {name}, {value.Length} bytes");
    }

    /// <summary>EV_SEPARATOR.</summary>
    public static MeasuredEvent Separator(int register)
    {
        var data = new byte[4];
        return Event(register, TcgEventType.Separator, HashValue.Sha384(data), data, "constant", "separator");
    }

    /// <summary>EV_PLATFORM_CONFIG_FLAGS: one ACPI blob.</summary>
    public static MeasuredEvent AcpiBlob(HashValue digest, string file) =>
        Event(0, TcgEventType.PlatformConfigFlags, digest, "ACPI DATA"u8, "acpi", $"fw_cfg file {file}");

    /// <summary>EV_PLATFORM_CONFIG_FLAGS: an item of fw_cfg that stable202505 measures.</summary>
    public static MeasuredEvent FirmwareConfiguration(string name, ReadOnlySpan<byte> content) => Event(
        0, TcgEventType.PlatformConfigFlags, HashValue.Sha384(content), System.Text.Encoding.ASCII.GetBytes(name), "monitor", $"fw_cfg item {name}");

    /// <summary>
    /// EV_EFI_VARIABLE_AUTHORITY that stable202505 measures without Secure Boot; what is hashed lies in the firmware, and
    /// only the digest is published.
    /// </summary>
    public static MeasuredEvent FirmwareAuthority() => Event(
        0, TcgEventType.EfiVariableAuthority,
        HashValue.Parse("fb66919801f1dfc9c4c273b6a739380790cb0fd3cb706a42f6ac050510ebc8618e7fba53a1564522f5c6f0dc9e1f41a6"), [], "constant", "authority of stable202505");

    /// <summary>EV_EFI_VARIABLE_BOOT: this firmware digests the value alone, though it logs the whole variable.</summary>
    public static MeasuredEvent BootVariable(string name, ReadOnlySpan<byte> value) =>
        Event(
            0, TcgEventType.EfiVariableBoot, HashValue.Sha384(value),
            EfiVariable.MeasuredForm(EfiVariable.GlobalVariable, name, value), "constant", $"variable {name} (value only)");

    /// <summary>EV_EFI_BOOT_SERVICES_APPLICATION: the kernel that QEMU's file system offers as "kernel".</summary>
    public static MeasuredEvent Kernel(HashValue authenticode, int length)
    {
        // EFI_IMAGE_LOAD_EVENT: location (chosen while booting, not predicted), length, link time address, device path.
        ReadOnlySpan<byte> end = [0x7f, 0xff, 4, 0];
        byte[] path = [4, 3, 20, 0, .. QemuFileSystem.ToByteArray(), 4, 4, 18, 0, .. "k\0e\0r\0n\0e\0l\0\0\0"u8, .. end];
        var data = new byte[32 + path.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(8), (ulong)length);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(24), (ulong)path.Length);
        path.CopyTo(data, 32);
        return Event(1, TcgEventType.EfiBootServicesApplication, authenticode, data, "kernel", "kernel image (Authenticode)");
    }

    /// <summary>EV_EFI_ACTION: a fixed text.</summary>
    public static MeasuredEvent Action(ReadOnlySpan<byte> text) =>
        Event(1, TcgEventType.EfiAction, HashValue.Sha384(text), text, "constant", System.Text.Encoding.ASCII.GetString(text));

    private static MeasuredEvent Event(
        int register, uint type, HashValue digest, ReadOnlySpan<byte> data, string input, string description) =>
        new(register, type, digest, ImmutableArray.Create(data), input, description);
}
