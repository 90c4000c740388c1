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
    /// Why its behaviour may not be its program's alone, or null: a debugger, or a filter on its system calls that was
    /// there before it started.
    /// </summary>
    public string? FindInterference()
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{Id}/status"))
            {
                if (line.StartsWith("TracerPid:", StringComparison.Ordinal) && line["TracerPid:".Length..].Trim() != "0")
                    return "a debugger is attached to it";
                if (line.StartsWith("Seccomp:", StringComparison.Ordinal) && line["Seccomp:".Length..].Trim() != "0")
                    return "its system calls are filtered from outside, so their results could be forged";
            }

            return null;
        }
        catch (IOException)
        {
            return "it has ended";
        }
    }
}
