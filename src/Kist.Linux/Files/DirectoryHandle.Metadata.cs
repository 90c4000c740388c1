using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Files;

public sealed unsafe partial class DirectoryHandle
{
    /// <summary>Sets the owner of an entry; a symbolic link's own.</summary>
    public void SetOwner(ReadOnlySpan<byte> name, uint user, uint group)
    {
        fixed (byte* p = Terminate(name))
            Check(FileLibc.ChangeOwnerAt(Descriptor, p, user, group, FileLibc.AtSymlinkNoFollow), "set owner", name);
    }

    /// <summary>Sets the permission bits of an entry that is known not to be a symbolic link (which has none).</summary>
    public void SetPermissions(ReadOnlySpan<byte> name, int permissions)
    {
        fixed (byte* p = Terminate(name))
            Check(FileLibc.ChangeModeAt(Descriptor, p, (uint)permissions, 0), "set permissions", name);
    }

    /// <summary>Sets access and modification time of an entry; a symbolic link's own.</summary>
    public void SetModified(ReadOnlySpan<byte> name, long seconds, uint nanoseconds)
    {
        var times = stackalloc FileLibc.TimeSpec[2];
        times[0] = times[1] = new FileLibc.TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds };
        fixed (byte* p = Terminate(name))
            Check(FileLibc.SetTimesAt(Descriptor, p, times, FileLibc.AtSymlinkNoFollow), "set time", name);
    }

    /// <summary>
    /// Sets an extended attribute of an entry; a symbolic link's own. Returns false where the file system or the
    /// caller's rights do not allow it.
    /// </summary>
    public bool TrySetAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        // There is no *at variant of setxattr: the magic link of our own descriptor names the directory without a race.
        var prefix = Encoding.ASCII.GetBytes($"/proc/self/fd/{Descriptor}/");
        byte[] path = [.. prefix, .. name, 0];
        fixed (byte* p = path, a = Terminate(attribute), v = value)
        {
            if (FileLibc.SetLinkAttribute(p, a, v, (nuint)value.Length, 0) == 0)
                return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is FileErrno.NotSupported or FileErrno.NotPermitted ? false : throw FileErrno.Failure("set attribute", name, errno);
    }

    /// <summary>Sets an extended attribute of an open file; false where the file system or the caller's rights do not allow it.</summary>
    public static bool TrySetAttribute(SafeFileHandle file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        int result;
        fixed (byte* a = Terminate(attribute), v = value)
            result = FileLibc.SetAttribute((int)file.DangerousGetHandle(), a, v, (nuint)value.Length, 0);
        var errno = Marshal.GetLastPInvokeError();
        GC.KeepAlive(file);
        return result == 0 || (errno is FileErrno.NotSupported or FileErrno.NotPermitted ? false : throw FileErrno.Failure("set attribute", attribute, errno));
    }

    /// <summary>Sets owner, permissions and time of an open file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="owner">User and group, or null to leave them.</param>
    /// <param name="permissions">Permission bits; set after the owner, for changing the owner clears set-user-id.</param>
    /// <param name="seconds">Modification time.</param>
    /// <param name="nanoseconds">Its nanoseconds.</param>
    public static void SetMetadata(SafeFileHandle file, (uint User, uint Group)? owner, int permissions, long seconds, uint nanoseconds)
    {
        var descriptor = (int)file.DangerousGetHandle();
        if (owner is { } o)
            Check(FileLibc.ChangeOwner(descriptor, o.User, o.Group), "set owner", "file being extracted");
        Check(FileLibc.ChangeMode(descriptor, (uint)permissions), "set permissions", "file being extracted");
        var times = stackalloc FileLibc.TimeSpec[2];
        times[0] = times[1] = new FileLibc.TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds };
        Check(FileLibc.SetTimes(descriptor, times), "set time", "file being extracted");
        GC.KeepAlive(file);
    }

    /// <summary>Writes all of a span to an open file.</summary>
    public static void WriteAll(SafeFileHandle file, ReadOnlySpan<byte> data)
    {
        var descriptor = (int)file.DangerousGetHandle();
        while (!data.IsEmpty)
        {
            nint written;
            fixed (byte* p = data)
                written = FileLibc.Write(descriptor, p, (nuint)data.Length);
            if (written >= 0)
                data = data[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var errno and not FileErrno.Interrupted)
                throw FileErrno.Failure("write file", "file being written", errno);
        }

        GC.KeepAlive(file);
    }

    /// <summary>Gives the blocks of a part of a file back to the file system, where it can (FALLOC_FL_PUNCH_HOLE).</summary>
    public static bool TryPunchHole(SafeFileHandle file, long offset, long length)
    {
        var done = FileLibc.Allocate((int)file.DangerousGetHandle(), 0x03 /* KEEP_SIZE | PUNCH_HOLE */, offset, length) == 0;
        GC.KeepAlive(file);
        return done;
    }

    /// <summary>True if this process runs as root, and so may set owners and make device nodes.</summary>
    public static bool CallerIsRoot { get; } = FileLibc.EffectiveUser() == 0;
}
