using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>What an entry of a file tree is: the S_IFMT bits of a mode.</summary>
public enum NodeType : uint
{
    /// <summary>S_IFIFO.</summary>
    Fifo = 0x1000,

    /// <summary>S_IFCHR.</summary>
    CharacterDevice = 0x2000,

    /// <summary>S_IFBLK.</summary>
    BlockDevice = 0x6000,

    /// <summary>S_IFREG.</summary>
    RegularFile = 0x8000,
}

/// <summary>
/// A directory that untrusted paths are resolved beneath: the kernel itself (openat2 with RESOLVE_BENEATH and without
/// following symbolic links in the last component) refuses every path that would leave it, whatever symbolic links an
/// earlier entry of the same archive has made. Paths are relative; "." is the root itself.
/// </summary>
public sealed partial class DirectoryRoot : IDisposable
{
    private const ulong ResolveNoMagicLinks = 0x02, ResolveBeneath = 0x08, ResolveInRoot = 0x10;
    private const int DirectoryFlag = 0x10000, NoFollow = 0x20000, CloseOnExec = 0x80000, PathOnly = 0x200000;
    private const int NonBlocking = 0x800; // a FIFO in the place of a file must not stop us
    private const int ReadWrite = 2, WriteOnly = 1, Create = 0x40, Exclusive = 0x80;
    private const int SystemOpenat2 = 437; // the same number on every architecture
    private const int RemoveDirectoryFlag = 0x200, EmptyPath = 0x1000, SymlinkNoFollow = 0x100;

    private readonly SafeFileHandle _directory;
    private readonly string _name;

    private DirectoryRoot(SafeFileHandle directory, string name)
    {
        _directory = directory;
        _name = name;
    }

    /// <summary>Opens an existing directory that the caller trusts.</summary>
    public static DirectoryRoot Open(string path)
    {
        var handle = open(path, DirectoryFlag | CloseOnExec | PathOnly, 0);
        return handle.IsInvalid ? throw Failed("open directory", path, handle) : new DirectoryRoot(handle, path);
    }

    /// <summary>
    /// The parent directory of <paramref name="path"/>, opened beneath the root, and the last component's name.
    /// <paramref name="followInRoot"/> resolves symbolic links in the parents as if the root were "/" (as a container
    /// would see them); otherwise links that leave the root are refused.
    /// </summary>
    /// <exception cref="SystemCallException">The parent does not exist (ENOENT), leaves the root (EXDEV), …</exception>
    public (DirectoryRoot Parent, string Name) OpenParent(string path, bool followInRoot = true)
    {
        var (parent, name) = Split(path);
        return (OpenDirectory(parent, followInRoot), name);
    }

    /// <summary>Opens a directory beneath the root.</summary>
    public DirectoryRoot OpenDirectory(string path, bool followInRoot = true)
    {
        var handle = OpenAt(path, DirectoryFlag | CloseOnExec | PathOnly, 0, followInRoot ? ResolveInRoot : ResolveBeneath);
        return new DirectoryRoot(handle, $"{_name}/{path}");
    }

    /// <summary>Creates a file that must not exist, for writing. The last component is never followed.</summary>
    public SafeFileHandle CreateFile(string path, uint permissions) =>
        OpenAt(path, WriteOnly | Create | Exclusive | NoFollow | CloseOnExec, permissions, ResolveBeneath);

    /// <summary>Opens an existing file for reading, following links as a process whose root this is would.</summary>
    public SafeFileHandle OpenRead(string path) => OpenAt(path, CloseOnExec | NonBlocking, 0, ResolveInRoot);

    /// <summary>
    /// Opens whatever a path leads to, following links as a process whose root this is would, only to name it for other
    /// calls (O_PATH).
    /// </summary>
    public SafeFileHandle OpenPath(string path) => OpenAt(path, PathOnly | CloseOnExec, 0, ResolveInRoot);

    /// <summary>Opens an existing file for reading and writing, without following a link at its end.</summary>
    public SafeFileHandle OpenReadWrite(string path) => OpenAt(path, ReadWrite | NoFollow | CloseOnExec, 0, ResolveBeneath);

    /// <summary>Creates a directory in the root itself; <paramref name="name"/> has no slash.</summary>
    public void CreateDirectory(string name, uint permissions) =>
        SystemCallException.Check(mkdirat(_directory, Component(name), permissions), "create directory", Subject(name));

    /// <summary>Creates a symbolic link in the root itself, with any target.</summary>
    public void CreateSymbolicLink(string name, string target) =>
        SystemCallException.Check(symlinkat(target, _directory, Component(name)), "create symbolic link", Subject(name));

    /// <summary>Creates a device, a FIFO or an empty file in the root itself.</summary>
    public void CreateNode(string name, NodeType type, uint permissions, uint major = 0, uint minor = 0) =>
        SystemCallException.Check(mknodat(_directory, Component(name), (uint)type | permissions, DeviceNumber(major, minor)), "create node", Subject(name));

    /// <summary>Gives an existing entry of <paramref name="source"/> a second name in this root; the entry is not followed if it is a link.</summary>
    public void CreateHardLink(string name, DirectoryRoot source, string sourceName) =>
        SystemCallException.Check(
            linkat(source._directory, Component(sourceName), _directory, Component(name), 0), "create hard link", Subject(name));

    /// <summary>Sets owner and group of an entry, not following it.</summary>
    public void SetOwner(string name, uint user, uint group) =>
        SystemCallException.Check(fchownat(_directory, Component(name), user, group, SymlinkNoFollow), "set owner", Subject(name));

    /// <summary>Sets the permissions of an entry that is not a symbolic link.</summary>
    public void SetPermissions(string name, uint permissions) =>
        SystemCallException.Check(fchmodat(_directory, Component(name), permissions, 0), "set permissions", Subject(name));

    /// <summary>Sets the modification and access time of an entry, not following it.</summary>
    public void SetModified(string name, long seconds, long nanoseconds)
    {
        ReadOnlySpan<long> times = [seconds, nanoseconds, seconds, nanoseconds];
        SystemCallException.Check(utimensat(_directory, Component(name), times, SymlinkNoFollow), "set time", Subject(name));
    }

    /// <summary>Removes a file or link of the root itself; false if there is none.</summary>
    public bool RemoveFile(string name) => Remove(name, 0);

    /// <summary>Removes an empty directory of the root itself; false if there is none.</summary>
    public bool RemoveDirectory(string name) => Remove(name, RemoveDirectoryFlag);

    /// <summary>
    /// A path through /proc that names the root for system calls that take only paths (lsetxattr). Valid while this
    /// object lives.
    /// </summary>
    public string ProcPath => $"/proc/self/fd/{_directory.DangerousGetHandle()}";

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static (string Parent, string Name) Split(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? (".", path) : (path[..slash], path[(slash + 1)..]);
    }

    /// <summary>The at-calls below take one component, so that nothing in it can be followed.</summary>
    private static string Component(string name) =>
        name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("must be one path component", nameof(name))
            : name;

    internal static ulong DeviceNumber(uint major, uint minor) =>
        ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);

    private bool Remove(string name, int flags)
    {
        if (unlinkat(_directory, Component(name), flags) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw SystemCallException.Last("remove", Subject(name));
    }

    private SafeFileHandle OpenAt(string path, int flags, uint mode, ulong resolve)
    {
        var how = new OpenHow { Flags = (ulong)(uint)flags, Mode = mode, Resolve = resolve | ResolveNoMagicLinks };
        int fd;
        do
        {
            // EAGAIN: the tree was being renamed under the walk; the kernel asks for another try.
            fd = (int)openat2(SystemOpenat2, _directory, path, how, 24);
        }
        while (fd < 0 && Marshal.GetLastPInvokeError() is Errno.EINTR or Errno.EAGAIN);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SystemCallException.Last("open", Subject(path));
    }

    private static SystemCallException Failed(string step, string subject, SafeFileHandle handle)
    {
        var error = SystemCallException.Last(step, subject);
        handle.Dispose();
        return error;
    }

    private string Subject(string name) => $"{_name}/{name}";

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint openat2(nint number, SafeFileHandle directory, string path, in OpenHow how, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdirat(SafeFileHandle directory, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlinkat(string target, SafeFileHandle directory, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mknodat(SafeFileHandle directory, string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int linkat(SafeFileHandle oldDirectory, string oldPath, SafeFileHandle newDirectory, string newPath, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchownat(SafeFileHandle directory, string path, uint user, uint group, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchmodat(SafeFileHandle directory, string path, uint mode, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int utimensat(SafeFileHandle directory, string path, ReadOnlySpan<long> times, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(SafeFileHandle directory, string path, int flags);
}
