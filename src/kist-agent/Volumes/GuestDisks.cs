namespace Kist.Agent.Volumes;

/// <summary>The disks that the host has attached.</summary>
static class GuestDisks
{
    /// <summary>The node of a disk by its serial number, which the host chooses; null if there is none.</summary>
    public static string? Find(string serial)
    {
        foreach (var disk in Directory.EnumerateDirectories("/sys/block"))
        {
            var file = Path.Combine(disk, "serial");
            if (File.Exists(file) && File.ReadAllText(file).Trim() == serial)
                return $"/dev/{Path.GetFileName(disk)}";
        }

        return null;
    }
}
