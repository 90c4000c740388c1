using System.Buffers.Binary;
using Kist.Measurement.Linux;

namespace Kist.Measurement.Qemu;

/// <summary>
/// What QEMU writes into the setup header of a kernel that it loads by -kernel, before the guest reads it
/// (hw/i386/x86.c, x86_load_linux). Firmware measures the image with these changes, so the digest depends on the memory
/// size and on the initrd's length.
/// <code>
/// 0x1fa 2 video mode, if the command line has vga=    0x210 1 type_of_loader = 0xb0       0x211 1 loadflags |= 0x80
/// 0x218 4 ramdisk_image, 0x21c 4 ramdisk_size, if there is an initrd
/// 0x224 2 heap_end_ptr = 0xfe00                       0x228 4 cmd_line_ptr = 0x20000
/// </code>
/// </summary>
public static class QemuKernelLoader
{
    private const uint RealModeAddress = 0x10000;
    private const uint CommandLineAddress = 0x20000;

    /// <summary>The image as the guest reads it.</summary>
    /// <param name="kernel">The image as it lies on disk.</param>
    /// <param name="initrdLength">Bytes of the initrd, or null if there is none.</param>
    /// <param name="commandLine">The text of -append.</param>
    /// <param name="machine">The machine type.</param>
    /// <param name="memoryBytes">The guest's memory.</param>
    /// <exception cref="Kist.Formats.OperationFailedException">QEMU would not start: the initrd is too large, or vga= is not understood.</exception>
    public static byte[] Patch(BzImage kernel, long? initrdLength, string commandLine, QemuMachine machine, ulong memoryBytes)
    {
        var image = kernel.Bytes.ToArray();
        if ((image[0x211] & 1) == 0)
            throw LaunchNotPossible.Because("kernel", "it is a zImage that loads low, which UEFI firmware does not start");

        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x228), CommandLineAddress);
        if (VideoMode(commandLine) is { } mode)
            BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x1fa), mode);
        image[0x210] = 0xb0;
        image[0x211] |= 0x80;
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x224), (ushort)(CommandLineAddress - RealModeAddress - 0x200));
        if (initrdLength is { } length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x218), InitrdAddress(kernel, length, machine, memoryBytes));
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x21c), (uint)length);
        }

        return image;
    }

    private static uint InitrdAddress(BzImage kernel, long length, QemuMachine machine, ulong memoryBytes)
    {
        var header = kernel.Bytes.Span;
        var below = QemuMemoryLayout.Below4GiB(machine, memoryBytes);
        if (below <= QemuMemoryLayout.AcpiDataSize)
            throw LaunchNotPossible.Because("memory", $"{memoryBytes} bytes are too few");

        var maximum = kernel.Protocol >= 0x20c && kernel.CanBeLoadedAbove4GiB ? uint.MaxValue
            : kernel.Protocol >= 0x203 ? BinaryPrimitives.ReadUInt32LittleEndian(header[0x22c..])
            : 0x37ffffff;
        if (maximum >= below - QemuMemoryLayout.AcpiDataSize)
            maximum = (uint)(below - QemuMemoryLayout.AcpiDataSize - 1);
        if (length >= maximum)
            throw LaunchNotPossible.Because("initrd", $"{length} bytes do not fit below 0x{maximum:x}", "give the guest more memory or make the initrd smaller");
        return (maximum - (uint)length) & ~0xfffu;
    }

    // The first "vga=" anywhere in the text counts, as strstr finds it.
    private static ushort? VideoMode(string commandLine)
    {
        var at = commandLine.IndexOf("vga=", StringComparison.Ordinal);
        if (at < 0)
            return null;
        var value = commandLine[(at + 4)..];
        if (value.StartsWith("normal", StringComparison.Ordinal))
            return 0xffff;
        if (value.StartsWith("ext", StringComparison.Ordinal))
            return 0xfffe;
        if (value.StartsWith("ask", StringComparison.Ordinal))
            return 0xfffd;
        var word = value.Split(' ')[0];
        var hex = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var style = hex ? System.Globalization.NumberStyles.AllowHexSpecifier : System.Globalization.NumberStyles.None;
        if (!uint.TryParse(hex ? word[2..] : word, style, null, out var number))
            throw LaunchNotPossible.Because("command line", $"QEMU does not understand vga={word}");
        return (ushort)number;
    }
}
