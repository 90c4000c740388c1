using System.Security.Cryptography;
using System.Text.Json;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Protocol;

/// <summary>A volume as the agent policy sees it: of files, their digests.</summary>
/// <param name="Name">The volume's name.</param>
/// <param name="MountPath">Where it is in the container.</param>
/// <param name="ReadOnly">True if the container cannot write it.</param>
/// <param name="Kind">"memory", "scratch" (an encrypted disk of the guest's own), "files" or "block".</param>
public sealed record VolumeInput(string Name, string MountPath, bool ReadOnly, string Kind)
{
    /// <summary>Of scratch: its size; 0 for the default.</summary>
    public ulong SizeBytes { get; init; }

    /// <summary>Of a block volume: where its key is.</summary>
    public string Key { get; init; } = "";

    /// <summary>Of a block volume: true if its content is given up and it is made anew.</summary>
    public bool Format { get; init; }

    /// <summary>Of files: each of them.</summary>
    public IReadOnlyList<VolumeFileInput> Files { get; init; } = [];

    /// <summary>Describes a volume of a request.</summary>
    public static VolumeInput Of(Volume volume) => volume.SourceCase switch
    {
        Volume.SourceOneofCase.Scratch => new VolumeInput(
            volume.Name, volume.MountPath, volume.ReadOnly, volume.Scratch.Disk.Length == 0 ? "memory" : "scratch")
        { SizeBytes = volume.Scratch.SizeBytes },
        Volume.SourceOneofCase.Files => new VolumeInput(volume.Name, volume.MountPath, volume.ReadOnly, "files")
        {
            Files = [.. volume.Files.Files.Select(f => VolumeFileInput.Of(f.Path, f.Mode, f.Content.Span))],
        },
        Volume.SourceOneofCase.Block => new VolumeInput(volume.Name, volume.MountPath, volume.ReadOnly, "block") { Key = volume.Block.Key, Format = volume.Block.Format },
        _ => new VolumeInput(volume.Name, volume.MountPath, volume.ReadOnly, "none"),
    };

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteMembers(json);
        json.WriteEndObject();
    }

    /// <summary>Writes the members of the object.</summary>
    public void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteString("mount_path", MountPath);
        json.WriteBoolean("read_only", ReadOnly);
        json.WriteString("kind", Kind);
        json.WriteNumber("size_bytes", SizeBytes);
        json.WriteString("key", Key);
        json.WriteBoolean("format", Format);
        json.WriteStartArray("files");
        foreach (var file in Files)
            file.Write(json);
        json.WriteEndArray();
    }
}

/// <summary>A file of a volume.</summary>
/// <param name="Path">Relative to the volume.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Digest">"sha256:…" of its content.</param>
public sealed record VolumeFileInput(string Path, uint Mode, string Digest)
{
    /// <summary>Describes a file by its content.</summary>
    public static VolumeFileInput Of(string path, uint mode, ReadOnlySpan<byte> content) =>
        new(path, mode, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}");

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("path", Path);
        json.WriteNumber("mode", Mode);
        json.WriteString("digest", Digest);
        json.WriteEndObject();
    }
}
