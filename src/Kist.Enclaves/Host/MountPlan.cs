using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Enclaves.Host;

/// <summary>
/// Shows the file systems that the manifest allows inside the enclave's root. Each must be what the manifest says it is:
/// the host cannot pass files of its own off as proc.
/// </summary>
static class MountPlan
{
    /// <summary>Binds every mount of the manifest from the container's root to the same place beneath the enclave's.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="containerRoot">The container's root.</param>
    /// <param name="enclaveRoot">Path of the enclave's root.</param>
    public static void Carry(EnclaveManifest manifest, DirectoryRoot containerRoot, string enclaveRoot)
    {
        var mounted = MountEntry.ReadAll();
        using var root = DirectoryRoot.Open(enclaveRoot);
        foreach (var mount in manifest.Mounts)
        {
            CheckType(mount, mounted);
            Carry(mount, containerRoot, root);
        }
    }

    private static void CheckType(ManifestMount mount, IReadOnlyList<MountEntry> mounted)
    {
        var actual = mounted.LastOrDefault(m => m.Path == mount.Destination).Type
            ?? throw new OperationFailedException(
                "show mount in enclave", mount.Destination, "the manifest lists it, the container has no such mount",
                "start the container with the mounts that the manifest was made with");
        var matches = mount.Type switch
        {
            "bind" => true,
            "cgroup" => actual is "cgroup" or "cgroup2" or "tmpfs",
            var type => actual == type,
        };
        if (!matches)
            throw new OperationFailedException("show mount in enclave", mount.Destination, $"it is a mount of {actual}, the manifest says {mount.Type}");
    }

    private static void Carry(ManifestMount mount, DirectoryRoot containerRoot, DirectoryRoot root)
    {
        var path = mount.Destination[1..];
        using var source = containerRoot.OpenPath(path);
        CreateMountPoint(root, path, FileExamination.Of(source).Kind == FileKind.Directory);
        using var target = root.OpenPath(path);
        // Masks over parts of proc and sysfs are mounts of their own, and must come along.
        var depth = mount.Type is "proc" or "sysfs" or "cgroup" ? MountOptions.Recursive : MountOptions.None;
        Mounts.Mount(
            $"/proc/self/fd/{source.DangerousGetHandle()}", $"/proc/self/fd/{target.DangerousGetHandle()}", null, MountOptions.Bind | depth);
    }

    private static void CreateMountPoint(DirectoryRoot root, string path, bool isDirectory)
    {
        var parents = path.Split('/');
        for (var depth = 1; depth <= parents.Length; depth++)
        {
            var here = string.Join('/', parents[..depth]);
            if (Exists(root, here))
                continue;
            var (parent, name) = root.OpenParent(here.Contains('/', StringComparison.Ordinal) ? here : "./" + here);
            using (parent)
            {
                if (depth < parents.Length || isDirectory)
                    parent.CreateDirectory(name, 0x1ed);
                else
                    parent.CreateFile(name, 0x1a4).Dispose();
            }
        }
    }

    private static bool Exists(DirectoryRoot root, string path)
    {
        try
        {
            root.OpenPath(path).Dispose();
            return true;
        }
        catch (Linux.SystemCallException e) when (e.Errno == Linux.Errno.ENOENT)
        {
            return false;
        }
    }
}
