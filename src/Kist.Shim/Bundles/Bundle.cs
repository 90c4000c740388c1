using System.Globalization;
using System.IO.Compression;
using Kist.Formats;
using Kist.Pods.Protocol;

namespace Kist.Shim.Bundles;

/// <summary>What a task is to its pod.</summary>
internal enum TaskKind
{
    /// <summary>A task with a virtual machine of its own.</summary>
    Single,

    /// <summary>The pod itself: what is a "pause" process elsewhere.</summary>
    Sandbox,

    /// <summary>A container in a pod.</summary>
    Member,
}

/// <summary>A bundle as containerd lays it out, and what it says about the pod.</summary>
internal sealed record Bundle(string Id, string Path, RuntimeSpec Spec)
{
    public static Bundle Load(string id, string path) => new(id, path, RuntimeSpec.Load(path));

    public TaskKind Kind => Find(Annotations.ContainerType) switch
    {
        "sandbox" => TaskKind.Sandbox,
        "container" => TaskKind.Member,
        _ => TaskKind.Single,
    };

    /// <summary>The pod's identifier: all tasks of one have the same shim and the same virtual machine.</summary>
    public string GroupId => Kind == TaskKind.Member && Find(Annotations.SandboxId) is { Length: > 0 } pod ? pod : Id;

    /// <summary>What the policy calls the container.</summary>
    public string Name => Find(Annotations.Name) ?? Find(Annotations.ContainerName) ?? Id;

    /// <summary>The image; null if no annotation says it.</summary>
    public string? Image => Find(Annotations.Image) ?? Find(Annotations.ImageName);

    public string? Find(string annotation) => Spec.Annotations.GetValueOrDefault(annotation) is { Length: > 0 } value ? value : null;

    /// <summary>A whole number; null if the annotation is not there.</summary>
    public int? FindNumber(string annotation) => Find(annotation) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new OperationFailedException("read annotation", annotation, $"'{text}' is no whole number");

    /// <summary>The init-data document of the pod's owner; null if there is none.</summary>
    /// <exception cref="MalformedDataException">The annotation is no base64 of gzip, or the document is too long.</exception>
    public byte[]? InitData()
    {
        if (Find(Annotations.InitData) is not { } text)
            return null;
        try
        {
            using var gzip = new GZipStream(new MemoryStream(Convert.FromBase64String(text)), CompressionMode.Decompress);
            var document = new byte[InitDataDisk.MaximumDocument + 1];
            var length = gzip.ReadAtLeast(document, document.Length, throwOnEndOfStream: false);
            return length <= InitDataDisk.MaximumDocument
                ? document[..length]
                : throw new MalformedDataException(Annotations.InitData, InitDataDisk.MaximumDocument, $"is longer than {InitDataDisk.MaximumDocument} bytes");
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            throw new MalformedDataException(Annotations.InitData, -1, "is no base64 of gzip", e);
        }
    }

    /// <summary>Where the network namespace is; null if the task has the host's, or is to get one that has no interfaces.</summary>
    public string? NetworkNamespace => Spec.Linux.Namespaces.FirstOrDefault(n => n.Type == "network")?.Path is { Length: > 0 } path ? path : null;
}
