using System.Globalization;
using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>This process's own memory.</summary>
public static partial class IdleMemory
{
    // MADV_PAGEOUT of linux/mman.h: clean pages of files are dropped, and read again when they are needed; no content is ever lost.
    private const int PageOut = 21;

    /// <summary>
    /// Gives back what only starting needed: the C library's free memory, and those pages of the program's constant data that
    /// nobody else has mapped, most of which the runtime reads once, when it unfolds its tables. What is needed again comes
    /// back by itself. A kernel that does not know how (before Linux 5.4) changes nothing.
    /// </summary>
    public static void GiveBack()
    {
        _ = malloc_trim(0);
        if (Environment.ProcessPath is not { } program)
            return;
        try
        {
            foreach (var line in File.ReadLines("/proc/self/maps"))
                GiveBack(line, program);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc here: the pages stay.
        }
    }

    // proc_pid_maps(5): start-end permissions offset device inode path
    private static void GiveBack(string mapping, string program)
    {
        if (!mapping.EndsWith(program, StringComparison.Ordinal) || mapping.Split(' ', 3) is not [var range, "r--p", _] || range.Split('-') is not [var from, var to])
            return;
        var (start, end) = (Address(from), Address(to));
        _ = madvise((nint)start, (nuint)(end - start), PageOut);
    }

    private static ulong Address(string hexadecimal) => ulong.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);
}
