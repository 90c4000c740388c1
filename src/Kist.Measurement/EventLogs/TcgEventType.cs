namespace Kist.Measurement.EventLogs;

/// <summary>Event types of TCG PC Client Platform Firmware Profile, section 10.4.1, that the predictor writes.</summary>
public static class TcgEventType
{
    /// <summary>EV_NO_ACTION: not extended; the log's header.</summary>
    public const uint NoAction = 0x3;

    /// <summary>EV_SEPARATOR.</summary>
    public const uint Separator = 0x4;

    /// <summary>EV_EVENT_TAG: the kernel's EFI stub for command line and initrd.</summary>
    public const uint EventTag = 0x6;

    /// <summary>EV_PLATFORM_CONFIG_FLAGS: OVMF for the ACPI blobs.</summary>
    public const uint PlatformConfigFlags = 0xa;

    /// <summary>EV_IPL: boot loaders.</summary>
    public const uint Ipl = 0xd;

    /// <summary>EV_EFI_VARIABLE_DRIVER_CONFIG: Secure Boot variables.</summary>
    public const uint EfiVariableDriverConfig = 0x80000001;

    /// <summary>EV_EFI_VARIABLE_BOOT: BootOrder and Boot####.</summary>
    public const uint EfiVariableBoot = 0x80000002;

    /// <summary>EV_EFI_BOOT_SERVICES_APPLICATION: a PE image, by its Authenticode digest.</summary>
    public const uint EfiBootServicesApplication = 0x80000003;

    /// <summary>EV_EFI_GPT_EVENT.</summary>
    public const uint EfiGptEvent = 0x80000006;

    /// <summary>EV_EFI_ACTION: a fixed text.</summary>
    public const uint EfiAction = 0x80000007;

    /// <summary>EV_EFI_PLATFORM_FIRMWARE_BLOB2.</summary>
    public const uint EfiPlatformFirmwareBlob2 = 0x8000000a;

    /// <summary>EV_EFI_HANDOFF_TABLES2.</summary>
    public const uint EfiHandoffTables2 = 0x8000000b;

    /// <summary>EV_EFI_VARIABLE_AUTHORITY.</summary>
    public const uint EfiVariableAuthority = 0x800000e0;

    /// <summary>The type's name in the specification.</summary>
    public static string NameOf(uint type) => type switch
    {
        NoAction => "EV_NO_ACTION",
        Separator => "EV_SEPARATOR",
        EventTag => "EV_EVENT_TAG",
        PlatformConfigFlags => "EV_PLATFORM_CONFIG_FLAGS",
        Ipl => "EV_IPL",
        EfiVariableDriverConfig => "EV_EFI_VARIABLE_DRIVER_CONFIG",
        EfiVariableBoot => "EV_EFI_VARIABLE_BOOT",
        EfiBootServicesApplication => "EV_EFI_BOOT_SERVICES_APPLICATION",
        EfiGptEvent => "EV_EFI_GPT_EVENT",
        EfiAction => "EV_EFI_ACTION",
        EfiPlatformFirmwareBlob2 => "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        EfiHandoffTables2 => "EV_EFI_HANDOFF_TABLES2",
        EfiVariableAuthority => "EV_EFI_VARIABLE_AUTHORITY",
        _ => $"0x{type:x8}",
    };
}
