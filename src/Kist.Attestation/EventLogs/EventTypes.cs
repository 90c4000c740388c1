namespace Kist.Attestation.EventLogs;

/// <summary>Event types (TCG PC Client Platform Firmware Profile 1.06, table 27).</summary>
public static class EventTypes
{
    /// <summary>Informative: extended into no register.</summary>
    public const uint NoAction = 0x00000003;

    /// <summary>The end of a phase.</summary>
    public const uint Separator = 0x00000004;

    /// <summary>An action, as text.</summary>
    public const uint Action = 0x00000005;

    /// <summary>A tagged event: number, size, data.</summary>
    public const uint EventTag = 0x00000006;

    /// <summary>Manufacturer's own.</summary>
    public const uint PlatformConfigFlags = 0x0000000a;

    /// <summary>The boot loader's own, text most often.</summary>
    public const uint Ipl = 0x0000000d;

    /// <summary>A UEFI variable of the secure boot configuration.</summary>
    public const uint EfiVariableDriverConfig = 0x80000001;

    /// <summary>A UEFI boot variable.</summary>
    public const uint EfiVariableBoot = 0x80000002;

    /// <summary>An application (boot loader, kernel) that was started.</summary>
    public const uint EfiBootServicesApplication = 0x80000003;

    /// <summary>A partition table.</summary>
    public const uint EfiGptEvent = 0x80000006;

    /// <summary>An action of the firmware, as text.</summary>
    public const uint EfiAction = 0x80000007;

    /// <summary>A part of the firmware, with a description.</summary>
    public const uint EfiPlatformFirmwareBlob2 = 0x8000000a;

    /// <summary>A table handed to the operating system, with a description.</summary>
    public const uint EfiHandoffTables2 = 0x8000000b;

    /// <summary>A UEFI boot variable.</summary>
    public const uint EfiVariableBoot2 = 0x8000000c;

    /// <summary>The certificate by which an image was accepted.</summary>
    public const uint EfiVariableAuthority = 0x800000e0;

    private static readonly Dictionary<uint, string> s_names = new()
    {
        [0x00000000] = "EV_PREBOOT_CERT",
        [0x00000001] = "EV_POST_CODE",
        [NoAction] = "EV_NO_ACTION",
        [Separator] = "EV_SEPARATOR",
        [Action] = "EV_ACTION",
        [EventTag] = "EV_EVENT_TAG",
        [0x00000007] = "EV_S_CRTM_CONTENTS",
        [0x00000008] = "EV_S_CRTM_VERSION",
        [0x00000009] = "EV_CPU_MICROCODE",
        [PlatformConfigFlags] = "EV_PLATFORM_CONFIG_FLAGS",
        [0x0000000b] = "EV_TABLE_OF_DEVICES",
        [0x0000000c] = "EV_COMPACT_HASH",
        [Ipl] = "EV_IPL",
        [0x0000000e] = "EV_IPL_PARTITION_DATA",
        [0x0000000f] = "EV_NONHOST_CODE",
        [0x00000010] = "EV_NONHOST_CONFIG",
        [0x00000011] = "EV_NONHOST_INFO",
        [0x00000012] = "EV_OMIT_BOOT_DEVICE_EVENTS",
        [0x00000013] = "EV_POST_CODE2",
        [0x80000000] = "EV_EFI_EVENT_BASE",
        [EfiVariableDriverConfig] = "EV_EFI_VARIABLE_DRIVER_CONFIG",
        [EfiVariableBoot] = "EV_EFI_VARIABLE_BOOT",
        [EfiBootServicesApplication] = "EV_EFI_BOOT_SERVICES_APPLICATION",
        [0x80000004] = "EV_EFI_BOOT_SERVICES_DRIVER",
        [0x80000005] = "EV_EFI_RUNTIME_SERVICES_DRIVER",
        [EfiGptEvent] = "EV_EFI_GPT_EVENT",
        [EfiAction] = "EV_EFI_ACTION",
        [0x80000008] = "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        [0x80000009] = "EV_EFI_HANDOFF_TABLES",
        [EfiPlatformFirmwareBlob2] = "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        [EfiHandoffTables2] = "EV_EFI_HANDOFF_TABLES2",
        [EfiVariableBoot2] = "EV_EFI_VARIABLE_BOOT2",
        [0x8000000d] = "EV_EFI_GPT_EVENT2",
        [0x80000010] = "EV_EFI_HCRTM_EVENT",
        [EfiVariableAuthority] = "EV_EFI_VARIABLE_AUTHORITY",
        [0x800000e1] = "EV_EFI_SPDM_FIRMWARE_BLOB",
        [0x800000e2] = "EV_EFI_SPDM_FIRMWARE_CONFIG",
        [0x800000e3] = "EV_EFI_SPDM_DEVICE_POLICY",
        [0x800000e4] = "EV_EFI_SPDM_DEVICE_AUTHORITY",
    };

    /// <summary>The name in the specification, or the number in hexadecimal.</summary>
    public static string NameOf(uint type) => s_names.TryGetValue(type, out var name) ? name : $"0x{type:x8}";
}
