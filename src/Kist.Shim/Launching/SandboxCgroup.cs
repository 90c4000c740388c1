using System.Globalization;
using Kist.Linux.Files;
using Kist.Linux.Processes;

namespace Kist.Shim.Launching;

/// <summary>
/// The pod's cgroup on the host, with the shim and its virtual machine in it, so that what they use is the pod's and stays
/// within what kubelet gives it. cgroup v1 and v2, paths of the cgroupfs and of the systemd driver.
/// </summary>
internal sealed class SandboxCgroup
{
    private const string Root = "/sys/fs/cgroup", Leaf = "kist";

    /// <summary>Of version 1: what is worth counting.</summary>
    private static readonly string[] Controllers = ["memory", "cpu", "cpuacct", "pids", "blkio"];

    private readonly string[] _folders;

    private SandboxCgroup(string[] folders) => _folders = folders;

    /// <summary>The cgroup of a specification's cgroupsPath; null if it names none.</summary>
    public static SandboxCgroup? Of(string cgroupsPath)
    {
        if (PathOf(cgroupsPath) is not { } path)
            return null;
        var roots = IsUnified ? [Root] : Controllers.Select(c => $"{Root}/{c}").Where(Directory.Exists).ToArray();
        return new SandboxCgroup([.. roots.Select(r => $"{r}{path}/{Leaf}")]);
    }

    /// <summary>Moves this process, and with it all it starts from now on, into the cgroup.</summary>
    public void Enter()
    {
        foreach (var folder in _folders)
        {
            Directory.CreateDirectory(folder);
            Move(folder);
        }
    }

    /// <summary>Moves this process out and removes the cgroup. What still runs in it keeps it.</summary>
    public void LeaveAndRemove()
    {
        foreach (var folder in _folders.Where(Directory.Exists))
        {
            if (Processes(folder).Contains(Environment.ProcessId))
                Move(folder[..(folder.IndexOf('/', Root.Length + 1) is > 0 and var end && !IsUnified ? end : Root.Length)]);
        }

        TryRemove();
    }

    /// <summary>Ends everything in it but this process.</summary>
    public void KillAll()
    {
        foreach (var process in _folders.Where(Directory.Exists).SelectMany(Processes).Where(p => p != Environment.ProcessId).Distinct())
            Signals.Send(process, Signals.Kill);
    }

    /// <summary>Removes it, with the one above it, which has containerd's name of the task. False while something runs in it.</summary>
    public bool TryRemove()
    {
        foreach (var folder in _folders)
        {
            RemoveEmpty(folder);
            RemoveEmpty(Path.GetDirectoryName(folder)!);
        }

        return !_folders.Any(Directory.Exists);
    }

    private static IReadOnlyList<int> Processes(string folder)
    {
        try
        {
            return [.. File.ReadAllLines($"{folder}/cgroup.procs").Select(l => int.Parse(l, NumberStyles.None, CultureInfo.InvariantCulture)).Where(p => p > 0)];
        }
        catch (IOException)
        {
            return []; // it has been removed meanwhile
        }
    }

    /// <summary>"/kubepods/pod1/abc", or systemd's "slice:prefix:name"; null if it stands for nothing.</summary>
    internal static string? PathOf(string cgroupsPath)
    {
        if (cgroupsPath.StartsWith('/') && cgroupsPath.Length > 1 && !cgroupsPath.Split('/').Contains(".."))
            return cgroupsPath.TrimEnd('/');
        var parts = cgroupsPath.Split(':');
        if (parts.Length != 3 || !parts[0].EndsWith(".slice", StringComparison.Ordinal) || parts.Any(p => p.Contains('/', StringComparison.Ordinal)))
            return null;
        // a-b.slice lies in a.slice.
        var path = "";
        var name = "";
        foreach (var part in parts[0][..^".slice".Length].Split('-'))
        {
            name = name.Length == 0 ? part : $"{name}-{part}";
            path += $"/{name}.slice";
        }

        return $"{path}/{parts[1]}-{parts[2]}.scope";
    }

    private static bool IsUnified { get; } = MountEntry.ReadAll().Any(m => m.Path == Root && m.Type == "cgroup2");

    private static void Move(string folder) =>
        File.WriteAllText($"{folder}/cgroup.procs", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    private static void RemoveEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Something is in it, or it is not there.
        }
    }
}
