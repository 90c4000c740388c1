using System.Globalization;
using System.Text;

namespace Kist.Pods.Guest;

/// <summary>
/// Writes the archive that Linux unpacks as its first root (Documentation/driver-api/early-userspace/buffer-format.rst,
/// "newc"). The same entries give the same bytes: times, owners and device of every entry are zero, inodes are counted.
/// <code>
/// header, 110 bytes of ASCII: magic 070701, then 13 fields of 8 hex digits:
/// ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
/// name with its zero byte, padded to 4 from the header's start; data, padded to 4
/// </code>
/// </summary>
sealed class CpioWriter(Stream output)
{
    private const uint Directory = 0x4000, Regular = 0x8000, CharacterDevice = 0x2000;

    private uint _inode;
    private long _position;

    public void AddDirectory(string path, uint permissions = 0x1ed) => Add(path, Directory | permissions, links: 2, [], 0, 0);

    public void AddFile(string path, uint permissions, ReadOnlySpan<byte> content) => Add(path, Regular | permissions, links: 1, content, 0, 0);

    public void AddCharacterDevice(string path, uint permissions, uint major, uint minor) =>
        Add(path, CharacterDevice | permissions, links: 1, [], major, minor);

    /// <summary>Writes the end marker and pads to 512 bytes.</summary>
    public void Finish()
    {
        _inode = 0;
        Write("TRAILER!!!", 0, 0, 1, [], 0, 0);
        Pad(512);
    }

    private void Add(string path, uint mode, uint links, ReadOnlySpan<byte> content, uint major, uint minor)
    {
        if (path.Length == 0 || path.StartsWith('/') || path.Split('/').Any(p => p is "" or "." or ".."))
            throw new ArgumentException($"'{path}' is not a plain relative path", nameof(path));
        Write(path, ++_inode, mode, links, content, major, minor);
    }

    private void Write(string path, uint inode, uint mode, uint links, ReadOnlySpan<byte> content, uint major, uint minor)
    {
        var name = Encoding.UTF8.GetBytes(path + "\0");
        ReadOnlySpan<uint> fields = [inode, mode, 0, 0, links, 0, (uint)content.Length, 0, 0, major, minor, (uint)name.Length, 0];
        var header = new StringBuilder("070701");
        foreach (var field in fields)
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        Emit(Encoding.ASCII.GetBytes(header.ToString()));
        Emit(name);
        Pad(4);
        Emit(content);
        Pad(4);
    }

    private void Emit(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _position += bytes.Length;
    }

    private void Pad(int alignment)
    {
        var rest = (int)(_position % alignment);
        if (rest != 0)
            Emit(new byte[alignment - rest]);
    }
}
