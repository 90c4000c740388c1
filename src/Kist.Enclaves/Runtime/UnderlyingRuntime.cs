using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>The OCI runtime that does the work of containers: namespaces, cgroups, mounts, hooks.</summary>
public static class UnderlyingRuntime
{
    /// <summary>Names the runtime to use, by path; without it one is looked for.</summary>
    public const string Variable = "KIST_RUNE_RUNTIME";

    private const string HybridControllers = "/sys/fs/cgroup/unified/cgroup.controllers";

    private static readonly string[] s_directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Path of the runtime: crun where it works, otherwise runc.</summary>
    /// <exception cref="OperationFailedException">There is none.</exception>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path)
            return path;
        // crun refuses hosts with cgroup v1 where v2 is mounted beside it and has controllers; runc takes them.
        var names = HasHybridControllers() ? new[] { "runc", "crun" } : ["crun", "runc"];
        return names.SelectMany(n => s_directories.Select(d => Path.Combine(d, n))).FirstOrDefault(File.Exists)
            ?? throw new OperationFailedException("find OCI runtime", "crun, runc", "neither is installed", $"install crun, or name a runtime by {Variable}");
    }

    private static bool HasHybridControllers()
    {
        try
        {
            return File.ReadAllText(HybridControllers).Trim().Length > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
