using System.Runtime.InteropServices;

namespace Kist.Linux.Files;

/// <summary>mount(2) flags.</summary>
[Flags]
public enum MountOptions : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>MS_RDONLY.</summary>
    ReadOnly = 1,

    /// <summary>MS_NOSUID.</summary>
    NoSetUid = 2,

    /// <summary>MS_NODEV.</summary>
    NoDevices = 4,

    /// <summary>MS_NOEXEC.</summary>
    NoExecution = 8,

    /// <summary>MS_REMOUNT.</summary>
    Remount = 32,

    /// <summary>MS_BIND.</summary>
    Bind = 4096,

    /// <summary>MS_MOVE.</summary>
    Move = 8192,

    /// <summary>MS_REC.</summary>
    Recursive = 16384,

    /// <summary>MS_PRIVATE.</summary>
    Private = 1 << 18,
}

/// <summary>Mounting and unmounting.</summary>
public static partial class Mounts
{
    private const int DetachFlag = 2; // MNT_DETACH

    /// <summary>mount(2).</summary>
    /// <param name="source">The device or the name that /proc/mounts shows.</param>
    /// <param name="target">An existing directory.</param>
    /// <param name="type">The file system; null for bind, move and remount.</param>
    /// <param name="options">Flags.</param>
    /// <param name="data">The file system's own options, or null.</param>
    public static void Mount(string source, string target, string? type, MountOptions options = MountOptions.None, string? data = null) =>
        SystemCallException.Check(mount(source, target, type, (ulong)options, data), $"mount {type ?? "existing tree"}", target);

    /// <summary>Detaches a mount now and frees it when nothing uses it any more.</summary>
    public static void Detach(string target) =>
        SystemCallException.Check(umount2(target, DetachFlag), "unmount", target);

    /// <summary>
    /// Makes the initramfs a root that pivot_root accepts: the kernel's rootfs cannot be pivoted away from, a mount moved
    /// over it can. Afterwards the process sees the same files.
    /// </summary>
    /// <param name="workspace">An empty directory of the present root.</param>
    public static void MoveRootOntoItself(string workspace)
    {
        Mount("/", workspace, null, MountOptions.Bind | MountOptions.Recursive);
        SystemCallException.Check(chdir(workspace), "change directory", workspace);
        SystemCallException.Check(mount(".", "/", null, (ulong)MountOptions.Move, null), "move mount onto", "/");
        SystemCallException.Check(chroot("."), "change root", workspace);
        SystemCallException.Check(chdir("/"), "change directory", "/");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chdir(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chroot(string path);
}
