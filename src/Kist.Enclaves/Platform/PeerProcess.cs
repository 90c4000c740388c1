using System.Globalization;
using Kist.Linux.Files;

namespace Kist.Enclaves.Platform;

/// <summary>What /proc says about a process that claims to be an enclave.</summary>
/// <param name="Id">Its identifier.</param>
/// <param name="StartTime">When it started, in clock ticks since the machine did; with the identifier it names one process.</param>
internal readonly record struct PeerProcess(int Id, ulong StartTime)
{
    private const int StartTimeField = 19;

    /// <summary>The process now, or null if it has ended.</summary>
    public static PeerProcess? Find(int id)
    {
        try
        {
            // The second field, the name in parentheses, may contain anything; fields are counted behind it.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return new PeerProcess(id, ulong.Parse(fields[StartTimeField], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The program that it executes; null if it has ended or may not be looked at.</summary>
    public FileStatus? Program() => FileExamination.FindTarget($"/proc/{Id}/exe");

    /// <summary>
    /// Why its behaviour may not be its program's alone, or null: a debugger, or more filters on its system calls than the
    /// platform itself is under, since a filter can forge results.
    /// </summary>
    public string? FindInterference()
    {
        try
        {
            if (Status(Id, "TracerPid:") != "0")
                return "a debugger is attached to it";
            return Filters(Id) > Filters(Environment.ProcessId)
                ? "its system calls are filtered from outside, so their results could be forged"
                : null;
        }
        catch (IOException)
        {
            return "it has ended";
        }
    }

    /// <summary>Kernels before 5.9 do not count; there any filter is one too many.</summary>
    private static int Filters(int id) =>
        int.TryParse(Status(id, "Seccomp_filters:"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
            : Status(id, "Seccomp:") is null or "0" ? 0 : int.MaxValue;

    private static string? Status(int id, string field) =>
        File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal))?[field.Length..].Trim();
}
