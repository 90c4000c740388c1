using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary>Reads the volumes of <c>kist run</c>.</summary>
static class VolumeArguments
{
    /// <summary>SOURCE:PATH or SOURCE:PATH:ro.</summary>
    public static RunVolume ReadFiles(string text)
    {
        var parts = text.Split(':');
        if (parts is [_, _, not "ro"] || parts.Length is < 2 or > 3)
            throw new OperationFailedException("read --volume", text, "it is SOURCE:PATH, and always read-only");
        return new RunVolume(RunVolumeKind.Files, Path.GetFullPath(parts[0]), parts[1].TrimEnd('/'), 0);
    }

    /// <summary>PATH:SIZE.</summary>
    public static RunVolume ReadDisk(string text)
    {
        const long smallest = 16 << 20;
        var volume = ReadMemory(text) with { Kind = RunVolumeKind.Disk };
        return volume.SizeBytes >= smallest ? volume : throw new OperationFailedException("read --scratch", text, "it is PATH:SIZE, of at least 16m");
    }

    /// <summary>PATH or PATH:SIZE.</summary>
    public static RunVolume ReadMemory(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? new RunVolume(RunVolumeKind.Memory, "", text.TrimEnd('/'), 0)
            : new RunVolume(RunVolumeKind.Memory, "", text[..colon].TrimEnd('/'), MemorySize.Parse(text[(colon + 1)..]));
    }
}
