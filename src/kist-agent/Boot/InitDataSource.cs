using Kist.Pods.Protocol;

namespace Kist.Agent.Boot;

/// <summary>Finds the init-data disk among the guest's block devices. The host chooses them: nothing read here is trusted yet.</summary>
static class InitDataSource
{
    /// <summary>The document's bytes; null if no disk carries one.</summary>
    public static byte[]? Read()
    {
        if (!Directory.Exists("/sys/class/block"))
            return null;
        Span<byte> start = stackalloc byte[16];
        foreach (var name in Directory.GetFileSystemEntries("/sys/class/block").Select(Path.GetFileName).Order(StringComparer.Ordinal))
        {
            if (!name!.StartsWith("vd", StringComparison.Ordinal) && !name.StartsWith("sd", StringComparison.Ordinal))
                continue;
            using var disk = new FileStream($"/dev/{name}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (disk.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && InitDataDisk.HasMagic(start))
            {
                disk.Position = 0;
                return InitDataDisk.Read(disk);
            }
        }

        return null;
    }
}
