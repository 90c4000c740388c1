using System.Globalization;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>
/// The least memory in which a guest finds all of its initrd. Linux unpacks it into a tmpfs of half the memory that is
/// free at that moment, while the archive itself still takes its place; what does not fit is left out without a failure,
/// and the guest then lacks programs (init/initramfs.c; Documentation/filesystems/tmpfs.rst).
/// </summary>
public static class GuestMemory
{
    /// <summary>
    /// What firmware, kernel and their tables hold at that moment: 124 to 129 MiB of guests of 224 to 320 MiB, as Debian's
    /// 6.1 cloud kernel says it in its line "Memory: … available".
    /// </summary>
    private const long Reserved = 130L << 20;

    private const int PageSize = 4096, Header = 110, NameField = 94, SizeField = 54, Mebibyte = 1 << 20;

    /// <summary>What the kernel keeps for every file and directory beside its pages.</summary>
    private const int EntrySize = 1024;

    private static ReadOnlySpan<byte> Magic => "070701"u8;

    /// <summary>MiB that a guest of this initrd needs at least.</summary>
    /// <param name="initrd">An uncompressed archive in cpio's format "newc" (buffer-format.rst in the kernel's documentation).</param>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static int MinimumMebibytes(ReadOnlySpan<byte> initrd) =>
        (int)((Reserved + initrd.Length + (2 * UnpackedBytes(initrd)) + Mebibyte - 1) / Mebibyte);

    /// <summary>Bytes of memory that the unpacked files take, in whole pages.</summary>
    internal static long UnpackedBytes(ReadOnlySpan<byte> initrd)
    {
        var total = 0L;
        for (long position = 0; ;)
        {
            if (position + Header > initrd.Length || !initrd[(int)position..].StartsWith(Magic))
                throw new MalformedDataException("initrd", position, "is no uncompressed archive of cpio's format newc");
            var header = initrd.Slice((int)position, Header);
            var (size, nameLength) = (Hex(header, SizeField, position), Hex(header, NameField, position));
            var data = Align(position + Header + nameLength);
            if (position + Header + nameLength > initrd.Length)
                throw new MalformedDataException("initrd", position, "a name ends behind the archive");
            if (initrd.Slice((int)position + Header, (int)nameLength).SequenceEqual("TRAILER!!!\0"u8))
                return total;
            if (data + size > initrd.Length)
                throw new MalformedDataException("initrd", position, "a file ends behind the archive");
            total += ((size + PageSize - 1) / PageSize * PageSize) + EntrySize;
            position = Align(data + size);
        }
    }

    private static long Align(long position) => (position + 3) & ~3L;

    private static long Hex(ReadOnlySpan<byte> header, int offset, long position) =>
        uint.TryParse(header.Slice(offset, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new MalformedDataException("initrd", position + offset, "is no hexadecimal number");
}
