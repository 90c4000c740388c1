using System.Buffers.Binary;
using System.Text;

namespace Kist.Measurement.Uefi;

/// <summary>
/// The boot option that OVMF makes for its own setup application, and that it measures as Boot0000 even where a kernel is
/// booted directly.
/// <code>
/// EFI_LOAD_OPTION    0 4 attributes   4 2 bytes of the device path   6 description, UTF-16LE with NUL   then device path
/// device path node   0 1 type   1 1 subtype   2 2 length   4 data; the end node is 7f ff 04 00          UEFI 3.1.3, 10.3
/// </code>
/// </summary>
static class EfiLoadOption
{
    private const uint ActiveHiddenApplication = 0x109;

    private static readonly Guid FirmwareVolume = new("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1");
    private static readonly Guid UiApp = new("462caa21-7614-4503-836e-8ab6f4662331");

    /// <summary>Boot0000, "UiApp": 62 bytes.</summary>
    public static byte[] OvmfSetup()
    {
        ReadOnlySpan<byte> end = [0x7f, 0xff, 4, 0];
        var description = Encoding.Unicode.GetBytes("UiApp\0");
        byte[] path = [4, 7, 20, 0, .. FirmwareVolume.ToByteArray(), 4, 6, 20, 0, .. UiApp.ToByteArray(), .. end];
        var option = new byte[6 + description.Length + path.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(option, ActiveHiddenApplication);
        BinaryPrimitives.WriteUInt16LittleEndian(option.AsSpan(4), (ushort)path.Length);
        description.CopyTo(option, 6);
        path.CopyTo(option, 6 + description.Length);
        return option;
    }
}
