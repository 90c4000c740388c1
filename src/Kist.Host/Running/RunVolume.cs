using Google.Protobuf;
using Kist.Formats;
using Kist.Pods.Disks;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>A volume of <c>kist run</c>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Source">Of files: the file or folder on this host, whose content is read and pinned when the plan is made.</param>
/// <param name="Path">Where the container sees it.</param>
/// <param name="SizeBytes">Of scratch: its size; 0 for the agent's default.</param>
public sealed record RunVolume(RunVolumeKind Kind, string Source, string Path, long SizeBytes)
{
    /// <summary>A request carries at most 4 MiB.</summary>
    private const int MaximumBytes = 3 << 20;

    /// <summary>Writes it for the agent.</summary>
    /// <param name="name">Its name, unique in the container.</param>
    /// <exception cref="OperationFailedException">The files cannot be read, or are too many.</exception>
    public Volume ToVolume(string name)
    {
        var volume = new Volume { Name = name, MountPath = Path, ReadOnly = Kind == RunVolumeKind.Files };
        if (Kind != RunVolumeKind.Files)
            volume.Scratch = new ScratchVolume { SizeBytes = (ulong)SizeBytes, Disk = Kind == RunVolumeKind.Disk ? name : "" };
        else
            volume.Files = ReadFiles();
        return volume;
    }

    /// <summary>The disk that the guest needs for it, or null.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="folder">Where the host keeps it.</param>
    public ScratchDisk? ToDisk(string name, string folder) => Kind == RunVolumeKind.Disk ? new ScratchDisk(name, SizeBytes, folder) : null;

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
