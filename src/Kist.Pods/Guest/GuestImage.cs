using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>
/// Firmware, kernel and initrd of a guest, loaded into sealed memory and checked against their manifest. What is
/// measured and what boots are these very bytes, whatever happens to the files.
/// </summary>
public sealed class GuestImage : IDisposable
{
    private const int MaximumManifest = 1 << 20;
    private const long MaximumFile = 512L << 20;

    private int? _minimumMemory;

    private GuestImage(string folder, GuestManifest manifest, SealedArtefact firmware, SealedArtefact kernel, SealedArtefact initrd)
    {
        Folder = folder;
        Manifest = manifest;
        Firmware = firmware;
        Kernel = kernel;
        Initrd = initrd;
    }

    /// <summary>Where it was loaded from.</summary>
    public string Folder { get; }

    /// <summary>What it was made of.</summary>
    public GuestManifest Manifest { get; }

    /// <summary>OVMF.</summary>
    public SealedArtefact Firmware { get; }

    /// <summary>The kernel, a bzImage.</summary>
    public SealedArtefact Kernel { get; }

    /// <summary>The initrd with the agent.</summary>
    public SealedArtefact Initrd { get; }

    /// <summary>MiB of memory without which this guest would not find all of its initrd.</summary>
    /// <exception cref="MalformedDataException">The initrd is no archive that this can be told of.</exception>
    public int MinimumMemoryMebibytes => _minimumMemory ??= GuestMemory.MinimumMebibytes(Initrd.Content.Span);

    /// <summary>Loads the image that <c>kist guest build</c> wrote to a folder.</summary>
    /// <exception cref="OperationFailedException">A file is missing, or is not what the manifest says.</exception>
    public static GuestImage Load(string folder)
    {
        var path = Path.Combine(folder, "manifest.json");
        if (!File.Exists(path))
            throw new OperationFailedException("load guest image", path, "does not exist", $"build one: kist guest build --out {folder}");
        using (var file = File.OpenRead(path))
        {
            if (file.Length > MaximumManifest)
                throw new OperationFailedException("load guest image", path, $"is larger than {MaximumManifest} bytes");
        }

        var manifest = GuestManifest.Parse(File.ReadAllBytes(path));
        var loaded = new List<SealedArtefact>();
        try
        {
            foreach (var output in (GuestOutput[])[manifest.Firmware, manifest.Kernel, manifest.Initrd])
                loaded.Add(LoadFile(folder, output));
            return new GuestImage(folder, manifest, loaded[0], loaded[1], loaded[2]);
        }
        catch
        {
            loaded.ForEach(a => a.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Firmware.Dispose();
        Kernel.Dispose();
        Initrd.Dispose();
    }

    private static SealedArtefact LoadFile(string folder, GuestOutput output)
    {
        if (output.File.Contains('/', StringComparison.Ordinal))
            throw new MalformedDataException("guest manifest", -1, $"'{output.File}' is not the name of a file beside it");
        var path = Path.Combine(folder, output.File);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var artefact = SealedArtefact.Copy(output.File, stream, MaximumFile);
        var actual = Convert.ToHexStringLower(artefact.Sha256.AsSpan());
        if (actual == output.Sha256)
            return artefact;
        artefact.Dispose();
        throw new OperationFailedException(
            "load guest image", path, $"its SHA-256 is {actual} but the manifest says {output.Sha256}", "build it again: kist guest build");
    }
}
