using System.Globalization;
using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>What a process keeps resident when it has nothing to do.</summary>
public static partial class IdleMemory
{
    private const int DontNeed = 4;

    /// <summary>
    /// Gives back what only starting needed: the C library's free memory, and the pages of the program's constant data, most of
    /// which the runtime reads once, when it unfolds its tables. They stay in the system's cache, and come back from there as
    /// they are needed.
    /// </summary>
    public static void GiveBack()
    {
        _ = malloc_trim(0);
        if (Environment.ProcessPath is not { } program)
            return;
        try
        {
            // Read first: what is done below changes what is read.
            foreach (var (start, length) in ConstantData(File.ReadAllLines("/proc/self/smaps"), program))
                _ = madvise((nint)start, (nuint)length, DontNeed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc here: the pages stay.
        }
    }

    /// <summary>
    /// Read-only mappings of the file that have no page of their own: each of their pages is the file's, so that nothing is lost
    /// with it. Those that were changed before they were made read-only, by the dynamic linker, have such pages.
    /// </summary>
    internal static IEnumerable<(ulong Start, ulong Length)> ConstantData(IEnumerable<string> smaps, string file)
    {
        (ulong Start, ulong Length)? mapping = null;
        foreach (var line in smaps)
        {
            // proc_pid_smaps(5): "start-end permissions offset device inode path", then a line for each figure.
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var first, var second, ..])
                continue;
            if (!first.EndsWith(':'))
                mapping = second == "r--p" && line.EndsWith(' ' + file, StringComparison.Ordinal) ? Range(first) : null;
            else if (mapping is { } constant && first == "Anonymous:" && second == "0")
                yield return constant;
        }
    }

    private static (ulong Start, ulong Length) Range(string range)
    {
        var dash = range.IndexOf('-');
        var start = ulong.Parse(range.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (start, ulong.Parse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start);
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);
}
