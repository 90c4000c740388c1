using System.Text;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.Measurement.Linux;

/// <summary>
/// The setup header of an x86 Linux kernel image.
/// <code>
/// 0x1f1 1 setup_sects     0x1fe 2 0xaa55        0x202 4 "HdrS"          0x206 2 protocol version     Documentation/arch/x86/boot
/// 0x20e 2 kernel_version  0x211 1 loadflags     0x22c 4 initrd_addr_max 0x236 2 xloadflags
/// </code>
/// </summary>
public sealed partial class BzImage
{
    /// <summary>The largest kernel that is read.</summary>
    public const int MaximumSize = 512 << 20;

    private const string Structure = "Linux kernel image";
    private const int HeaderEnd = 0x268;

    private BzImage(ReadOnlyMemory<byte> bytes, ushort protocol, int setupSize, string release)
    {
        Bytes = bytes;
        Protocol = protocol;
        SetupSize = setupSize;
        Release = release;
    }

    /// <summary>The whole file.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Version of the boot protocol, 0x020f for 2.15.</summary>
    public ushort Protocol { get; }

    /// <summary>Bytes of boot sector and setup code, before the protected-mode kernel.</summary>
    public int SetupSize { get; }

    /// <summary>The release that the kernel names in its header, such as "6.12.30"; empty if it names none.</summary>
    public string Release { get; }

    /// <summary>
    /// True if this kernel's EFI stub measures command line and initrd into a confidential-computing register (Linux 6.9 and
    /// later); null if the image names no release.
    /// </summary>
    public bool? MeasuresIntoCcRegisters =>
        ReleasePattern().Match(Release) is { Success: true } m
            ? (int.Parse(m.Groups[1].ValueSpan), int.Parse(m.Groups[2].ValueSpan)).CompareTo((6, 9)) >= 0
            : null;

    /// <summary>True if the initrd may lie above initrd_addr_max (XLF_CAN_BE_LOADED_ABOVE_4G).</summary>
    internal bool CanBeLoadedAbove4GiB => (Bytes.Span[0x236] & 0x02) != 0;

    /// <summary>Reads the header of an image.</summary>
    /// <param name="bytes">The whole file; the image keeps this memory.</param>
    /// <exception cref="MalformedDataException">It is not an x86 Linux kernel of boot protocol 2.02 or later.</exception>
    public static BzImage Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length is < HeaderEnd or > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"a size of {bytes.Length} bytes is not between {HeaderEnd} and {MaximumSize}");
        var file = bytes.Span;
        new SpanCursor(file[0x1fe..], Structure, 0x1fe).Expect([0x55, 0xaa], "boot flag");
        new SpanCursor(file[0x202..], Structure, 0x202).Expect("HdrS"u8, "header magic");
        var protocol = new SpanCursor(file[0x206..], Structure, 0x206).ReadUInt16LittleEndian();
        if (protocol < 0x202)
            throw new MalformedDataException(Structure, 0x206, $"boot protocol 0x{protocol:x} is older than 2.02");
        var setupSize = ((file[0x1f1] == 0 ? 4 : file[0x1f1]) + 1) * 512;
        if (setupSize > file.Length)
            throw new MalformedDataException(Structure, 0x1f1, $"{setupSize} bytes of setup code are more than the file's {file.Length}");
        return new BzImage(bytes, protocol, setupSize, ReadRelease(file));
    }

    private static string ReadRelease(ReadOnlySpan<byte> file)
    {
        var pointer = new SpanCursor(file[0x20e..], Structure, 0x20e).ReadUInt16LittleEndian();
        var start = pointer + 0x200;
        if (pointer == 0 || start >= file.Length)
            return "";
        var text = file.Slice(start, Math.Min(128, file.Length - start));
        var end = text.IndexOfAny((byte)0, (byte)' ');
        if (end < 0 || text[..end].ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
            return "";
        return Encoding.ASCII.GetString(text[..end]);
    }

    [GeneratedRegex(@"\A([0-9]{1,4})\.([0-9]{1,4})(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex ReleasePattern();
}
