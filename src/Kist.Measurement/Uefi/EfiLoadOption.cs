using System.Buffers.Binary;
using System.Text;

namespace Kist.Measurement.Uefi;

/// <summary>
/// The boot options that OVMF makes for its own applications, and that it measures even where a kernel is booted directly.
/// <code>
/// EFI_LOAD_OPTION    0 4 attributes   4 2 bytes of the device path   6 description, UTF-16LE with NUL   then device path
/// device path node   0 1 type   1 1 subtype   2 2 length   4 data; the end node is 7f ff 04 00          UEFI 3.1.3, 10.3
/// </code>
/// </summary>
static class EfiLoadOption
{
    private const uint ActiveHiddenApplication = 0x109;
    private const uint ActiveApplication = 0x101;

    private static readonly Guid FirmwareVolume = new("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1");
    private static readonly Guid UiApp = new("462caa21-7614-4503-836e-8ab6f4662331");
    private static readonly Guid BootManagerMenuApp = new("eec25bdc-67f2-4d95-b1d5-f81b2039d11d");

    /// <summary>Boot0000, "UiApp", before stable202505: 62 bytes.</summary>
    public static byte[] OvmfSetup() => Write(ActiveHiddenApplication, "UiApp", UiApp);

    /// <summary>Boot0000 of stable202505.</summary>
    public static byte[] OvmfBootMenu() => Write(ActiveHiddenApplication, "BootManagerMenuApp", BootManagerMenuApp);

    /// <summary>Boot0001 of stable202505.</summary>
    public static byte[] OvmfFirmwareSetup() => Write(ActiveApplication, "EFI Firmware Setup", UiApp);

    private static byte[] Write(uint attributes, string name, Guid application)
    {
        ReadOnlySpan<byte> end = [0x7f, 0xff, 4, 0];
        var description = Encoding.Unicode.GetBytes(name + '\0');
        byte[] path = [4, 7, 20, 0, .. FirmwareVolume.ToByteArray(), 4, 6, 20, 0, .. application.ToByteArray(), .. end];
        var option = new byte[6 + description.Length + path.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(option, attributes);
        BinaryPrimitives.WriteUInt16LittleEndian(option.AsSpan(4), (ushort)path.Length);
        description.CopyTo(option, 6);
        path.CopyTo(option, 6 + description.Length);
        return option;
    }
}
