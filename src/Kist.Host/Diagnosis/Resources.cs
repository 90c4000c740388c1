using System.Globalization;

namespace Kist.Host;

/// <summary>Memory and disk.</summary>
internal static class Resources
{
    private const long NeededMemory = 1L << 30;
    private const long NeededDisk = 2L << 30;

    public static DiagnosisItem Memory()
    {
        var available = AvailableMemory();
        const string consequence = "a guest takes 256 MiB and more, by its image's size";
        return available >= NeededMemory
            ? new("resources.memory", DiagnosisState.Ok, $"{Gibibytes(available)} available", consequence)
            : new("resources.memory", DiagnosisState.Broken, $"{Gibibytes(available)} available", consequence, "free memory");
    }

    public static DiagnosisItem Disk(StateDirectory state)
    {
        var free = new DriveInfo(state.Root).AvailableFreeSpace;
        const string consequence = "guest image, registry and logs lie there";
        return free >= NeededDisk
            ? new("resources.disk", DiagnosisState.Ok, $"{Gibibytes(free)} free in {state.Root}", consequence)
            : new("resources.disk", DiagnosisState.Broken, $"{Gibibytes(free)} free in {state.Root}", consequence, "free space, or choose another place with --state");
    }

    private static long AvailableMemory()
    {
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith("MemAvailable:", StringComparison.Ordinal) &&
                long.TryParse(line.AsSpan(13).Trim().TrimEnd("kB").TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes))
            {
                return kibibytes << 10;
            }
        }

        return 0;
    }

    private static string Gibibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB");
}
