namespace Kist.Linux.Files;

/// <summary>One mount of /proc/self/mountinfo.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="Type">The file system's type.</param>
public readonly record struct MountEntry(string Path, string Type)
{
    /// <summary>The mounts of this process, in the order in which they were mounted.</summary>
    public static IReadOnlyList<MountEntry> ReadAll() => [.. File.ReadLines("/proc/self/mountinfo").Select(Parse)];

    /// <summary>36 35 98:0 /root /path options optional… - type source options (proc_pid_mountinfo(5)).</summary>
    internal static MountEntry Parse(string line)
    {
        var separator = line.IndexOf(" - ", StringComparison.Ordinal);
        var before = line[..separator].Split(' ');
        var after = line[(separator + 3)..].Split(' ');
        return new MountEntry(Unescape(before[4]), after[0]);
    }

    /// <summary>Blank, tab, newline and backslash are written as octal numbers.</summary>
    private static string Unescape(string text) =>
        text.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);
}
