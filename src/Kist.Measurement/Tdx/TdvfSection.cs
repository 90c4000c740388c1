namespace Kist.Measurement.Tdx;

/// <summary>What a TDVF section is for (TDVF design guide, table 11.4).</summary>
public enum TdvfSectionType : uint
{
    /// <summary>BFV: firmware code.</summary>
    BootFirmwareVolume = 0,

    /// <summary>CFV: firmware configuration, that is, UEFI variables.</summary>
    ConfigurationFirmwareVolume = 1,

    /// <summary>TD_HOB: where the monitor writes the hand-off blocks.</summary>
    TdHob = 2,

    /// <summary>TempMem: stack and heap of the first steps.</summary>
    TemporaryMemory = 3,

    /// <summary>PermMem (td-shim).</summary>
    PermanentMemory = 4,

    /// <summary>Payload (td-shim).</summary>
    Payload = 5,

    /// <summary>PayloadParam (td-shim).</summary>
    PayloadParameter = 6,
}

/// <summary>How the monitor adds the pages of a section.</summary>
[Flags]
public enum TdvfSectionAttributes : uint
{
    /// <summary>Pages are added before the domain starts; their content is not measured.</summary>
    None = 0,

    /// <summary>MR.EXTEND: the content is measured into MRTD.</summary>
    MeasureContent = 1,

    /// <summary>PAGE.AUG: pages are added after the domain starts and are not in MRTD at all.</summary>
    PageAugment = 2,
}

/// <summary>One section of a TDVF image.</summary>
/// <param name="DataOffset">Where its bytes start in the image.</param>
/// <param name="RawDataSize">How many bytes the image holds for it; 0 if it is only memory.</param>
/// <param name="MemoryAddress">Guest-physical address, a multiple of 4096.</param>
/// <param name="MemorySize">Bytes of memory, a multiple of 4096; what the image does not hold is zero.</param>
/// <param name="Type">What it is for.</param>
/// <param name="Attributes">How it is added.</param>
public sealed record TdvfSection(
    int DataOffset, int RawDataSize, ulong MemoryAddress, ulong MemorySize, TdvfSectionType Type, TdvfSectionAttributes Attributes);
