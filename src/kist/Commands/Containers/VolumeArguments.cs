using Kist.Formats;
using Kist.Host;
using Kist.KeyBroker.Protocol;

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

    /// <summary>FILE:PATH:kbs:///REPOSITORY/TYPE/TAG, and then ":format" for a new one, or ":ro".</summary>
    public static RunVolume ReadBlock(string text)
    {
        const string scheme = ":kbs:///";
        var at = text.IndexOf(scheme, StringComparison.Ordinal);
        var place = at < 0 ? [] : text[..at].Split(':');
        if (place is not [{ Length: > 0 } file, ['/', ..] path])
            throw new OperationFailedException("read --block", text, "it is FILE:PATH:kbs:///REPOSITORY/TYPE/TAG[:format|:ro]");
        var key = text[(at + 1)..];
        var (format, readOnly) = (key.EndsWith(":format", StringComparison.Ordinal), key.EndsWith(":ro", StringComparison.Ordinal));
        if (format || readOnly)
            key = key[..key.LastIndexOf(':')];
        if (!File.Exists(file))
            throw new OperationFailedException("read --block", file, "there is no such file", $"make one: truncate -s 1G {file}, and run once with :format");
        return new RunVolume(RunVolumeKind.Block, Path.GetFullPath(file), path.TrimEnd('/'), 0)
        {
            Key = ResourceUri.Parse(key).ToString(),
            Format = format,
            ReadOnly = readOnly,
        };
    }

    /// <summary>SIZE of a disk, or "memory", which is 0.</summary>
    public static long ReadWritable(string text)
    {
        if (text == "memory")
            return 0;
        var bytes = MemorySize.Parse(text);
        return bytes >= RunVolume.SmallestDiskBytes ? bytes : throw new OperationFailedException("read --writable", text, "it is a size of at least 16m, or \"memory\"");
    }

    /// <summary>PATH:SIZE.</summary>
    public static RunVolume ReadDisk(string text)
    {
        var volume = ReadMemory(text) with { Kind = RunVolumeKind.Disk };
        return volume.SizeBytes >= RunVolume.SmallestDiskBytes ? volume : throw new OperationFailedException("read --scratch", text, "it is PATH:SIZE, of at least 16m");
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
