using Google.Protobuf;
using Kist.Formats;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>A volume of <c>kist run</c>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Source">Of files: the file or folder on this host, whose content is read and pinned when the plan is made. Of a volume: its file.</param>
/// <param name="Path">Where the container sees it.</param>
/// <param name="SizeBytes">Of scratch: its size; 0 for the agent's default.</param>
public sealed record RunVolume(RunVolumeKind Kind, string Source, string Path, long SizeBytes)
{
    /// <summary>A smaller disk has no room for its own integrity data and a file system.</summary>
    public const long SmallestDiskBytes = 16 << 20;

    /// <summary>Of a volume that outlives the guest: where its key is.</summary>
    public string Key { get; init; } = "";

    /// <summary>Of such a volume: true if it is new, and is formatted.</summary>
    public bool Format { get; init; }

    /// <summary>Of such a volume: true if the container cannot write it.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>A request carries at most 4 MiB.</summary>
    private const int MaximumBytes = 3 << 20;

    /// <summary>Writes it for the agent.</summary>
    /// <param name="name">Its name, unique in the container.</param>
    /// <exception cref="OperationFailedException">The files cannot be read, or are too many.</exception>
    public Volume ToVolume(string name)
    {
        var volume = new Volume { Name = name, MountPath = Path, ReadOnly = Kind == RunVolumeKind.Files || ReadOnly };
        switch (Kind)
        {
            case RunVolumeKind.Files:
                volume.Files = ReadFiles();
                break;
            case RunVolumeKind.Block:
                volume.Block = new BlockVolume { Disk = name, Key = Key, Format = Format };
                break;
            default:
                volume.Scratch = new ScratchVolume { SizeBytes = (ulong)SizeBytes, Disk = Kind == RunVolumeKind.Disk ? name : "" };
                break;
        }

        return volume;
    }

    /// <summary>The disk that the guest needs for it, or null.</summary>
    /// <param name="name">Its name.</param>
    public RunDisk? ToDisk(string name) => Kind switch
    {
        RunVolumeKind.Disk => new RunDisk(name, SizeBytes, null),
        RunVolumeKind.Block => new RunDisk(name, 0, Source),
        _ => null,
    };

    private FilesVolume ReadFiles()
    {
        var files = new FilesVolume();
        var isFile = File.Exists(Source);
        if (!isFile && !Directory.Exists(Source))
            throw new OperationFailedException("read volume", Source, "there is no such file or folder");
        var total = 0L;
        foreach (var path in isFile ? [Source] : Directory.GetFiles(Source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray())
        {
            total += new FileInfo(path).Length;
            if (total > MaximumBytes)
                throw new OperationFailedException("read volume", Source, $"it is larger than {MaximumBytes} bytes", "put large files into the image");
            files.Files.Add(new VolumeFile
            {
                Path = isFile ? System.IO.Path.GetFileName(Source) : System.IO.Path.GetRelativePath(Source, path),
                Mode = (uint)File.GetUnixFileMode(path) & 0x1ff,
                Content = ByteString.CopyFrom(File.ReadAllBytes(path)),
            });
        }

        return files;
    }
}
