using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

/// <summary>
/// An open directory, and operations on the entries in it. Names are single path components as raw bytes (Linux names
/// need not be UTF-8) and symbolic links are never followed; only <see cref="OpenInRoot"/> takes a path, which the
/// kernel resolves with this directory as the root, so that neither ".." nor a symbolic link leaves it.
/// </summary>
public sealed unsafe partial class DirectoryHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private DirectoryHandle(int descriptor) : base(ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    public override bool IsInvalid => (int)handle < 0;

    internal int Descriptor => (int)handle;

    /// <summary>Opens a directory by its path.</summary>
    public static DirectoryHandle Open(string path)
    {
        fixed (byte* p = Terminate(Encoding.UTF8.GetBytes(path)))
            return new DirectoryHandle(Check(FileLibc.OpenAt(FileLibc.AtFdCwd, p, DirectoryFlags, 0), "open directory", path));
    }

    /// <summary>
    /// Opens a directory below this one by a path. Symbolic links in it are followed as if this directory were the root
    /// (openat2, RESOLVE_IN_ROOT), so the result is always inside.
    /// </summary>
    /// <returns>The directory, or null if some part of the path does not exist or is no directory.</returns>
    public DirectoryHandle? OpenInRoot(ReadOnlySpan<byte> path)
    {
        var how = new FileLibc.OpenHow
        {
            Flags = DirectoryFlags,
            Resolve = FileLibc.ResolveInRoot | FileLibc.ResolveNoMagicLinks,
        };
        fixed (byte* p = Terminate(path.IsEmpty ? "."u8 : path))
        {
            // EAGAIN: a rename elsewhere raced with the resolution of ".."; the kernel asks to try again.
            for (var attempt = 0; ; attempt++)
            {
                var result = FileLibc.OpenAt2(FileLibc.OpenAt2Number, Descriptor, p, &how, (nuint)sizeof(FileLibc.OpenHow));
                if (result >= 0)
                    return new DirectoryHandle((int)result);
                var errno = Marshal.GetLastPInvokeError();
                if (errno is FileErrno.NoEntry or FileErrno.NotDirectory)
                    return null;
                if (errno is not (11 or FileErrno.Interrupted) || attempt >= 100)
                    throw FileErrno.Failure("open directory", path, errno);
            }
        }
    }

    /// <summary>Opens a directory that is directly in this one; a symbolic link is refused.</summary>
    public DirectoryHandle OpenChild(ReadOnlySpan<byte> name)
    {
        fixed (byte* p = Terminate(name))
        {
            return new DirectoryHandle(
                Check(FileLibc.OpenAt(Descriptor, p, DirectoryFlags | FileLibc.OpenNoFollow, 0), "open directory", name));
        }
    }

    /// <summary>Creates a regular file that did not exist, open for writing.</summary>
    public SafeFileHandle CreateFile(ReadOnlySpan<byte> name, int permissions)
    {
        const int Flags = FileLibc.OpenWriteOnly | FileLibc.OpenCreate | FileLibc.OpenExclusive
            | FileLibc.OpenNoFollow | FileLibc.OpenCloseOnExec;
        fixed (byte* p = Terminate(name))
            return new SafeFileHandle(Check(FileLibc.OpenAt(Descriptor, p, Flags, (uint)permissions), "create file", name), ownsHandle: true);
    }

    /// <summary>The status of an entry, or null if there is none. Symbolic links are not followed.</summary>
    public FileStatus? Status(ReadOnlySpan<byte> name)
    {
        Span<byte> buffer = stackalloc byte[FileStatus.StructureSize];
        fixed (byte* p = Terminate(name), b = buffer)
        {
            if (FileLibc.Statx(Descriptor, p, FileLibc.AtSymlinkNoFollow, FileLibc.StatxBasicStats, b) == 0)
                return FileStatus.Read(buffer);
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is FileErrno.NoEntry ? null : throw FileErrno.Failure("read status", name, errno);
    }

    /// <summary>Creates a directory. Does nothing and returns false if something of that name exists.</summary>
    public bool MakeDirectory(ReadOnlySpan<byte> name, int permissions)
    {
        fixed (byte* p = Terminate(name))
        {
            if (FileLibc.MakeDirectoryAt(Descriptor, p, (uint)permissions) == 0)
                return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == FileErrno.Exists ? false : throw FileErrno.Failure("create directory", name, errno);
    }

    /// <summary>Creates a symbolic link; the target is stored as it is.</summary>
    public void MakeSymbolicLink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        fixed (byte* p = Terminate(name), t = Terminate(target))
            Check(FileLibc.SymbolicLinkAt(t, Descriptor, p), "create symbolic link", name);
    }

    /// <summary>Creates a hard link to an entry of <paramref name="from"/>; a symbolic link itself is linked, not its target.</summary>
    public void MakeHardLink(ReadOnlySpan<byte> name, DirectoryHandle from, ReadOnlySpan<byte> existing)
    {
        fixed (byte* p = Terminate(name), e = Terminate(existing))
            Check(FileLibc.LinkAt(from.Descriptor, e, Descriptor, p, 0), "create hard link", name);
    }

    /// <summary>Creates a device node, pipe or socket.</summary>
    public void MakeNode(ReadOnlySpan<byte> name, FileKind kind, int permissions, uint major, uint minor)
    {
        // The kernel's and the C library's encoding of a device number (gnu_dev_makedev).
        var device = ((ulong)(minor & 0xffu)) | ((ulong)(major & 0xfffu) << 8)
            | ((ulong)(minor & ~0xffu) << 12) | ((ulong)(major & ~0xfffu) << 32);
        fixed (byte* p = Terminate(name))
            Check(FileLibc.MakeNodeAt(Descriptor, p, (uint)kind | (uint)permissions, device), "create device node", name);
    }

    /// <summary>Removes an entry that is no directory. Returns false if there was none.</summary>
    public bool Unlink(ReadOnlySpan<byte> name) => Remove(name, 0);

    /// <summary>Removes an empty directory. Returns false if there was none.</summary>
    public bool RemoveDirectory(ReadOnlySpan<byte> name) => Remove(name, FileLibc.AtRemoveDir);

    /// <summary>Where a symbolic link points.</summary>
    public byte[] ReadLink(ReadOnlySpan<byte> name)
    {
        var buffer = new byte[4096];
        fixed (byte* p = Terminate(name), b = buffer)
        {
            var length = FileLibc.ReadLinkAt(Descriptor, p, b, (nuint)buffer.Length);
            Check((int)length, "read symbolic link", name);
            return buffer[..(int)length];
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => FileLibc.Close((int)handle) == 0;

    private const int DirectoryFlags = FileLibc.OpenReadOnly | FileLibc.OpenDirectory | FileLibc.OpenCloseOnExec;

    private bool Remove(ReadOnlySpan<byte> name, int flags)
    {
        fixed (byte* p = Terminate(name))
        {
            if (FileLibc.UnlinkAt(Descriptor, p, flags) == 0)
                return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == FileErrno.NoEntry ? false : throw FileErrno.Failure("remove", name, errno);
    }

    internal static byte[] Terminate(ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)0))
            throw new ArgumentException("a path holds a NUL byte", nameof(text));
        var terminated = new byte[text.Length + 1];
        text.CopyTo(terminated);
        return terminated;
    }

    private static int Check(int result, string step, string subject) =>
        result >= 0 ? result : throw FileErrno.Failure(step, subject, Marshal.GetLastPInvokeError());

    private static int Check(int result, string step, ReadOnlySpan<byte> subject) =>
        result >= 0 ? result : throw FileErrno.Failure(step, subject, Marshal.GetLastPInvokeError());
}
