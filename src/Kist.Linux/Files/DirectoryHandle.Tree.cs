using System.Runtime.InteropServices;
using System.Text;

namespace Kist.Linux.Files;

public sealed unsafe partial class DirectoryHandle
{
    /// <summary>How deep a tree may be that is removed or walked: deeper ones are refused rather than overflow the stack.</summary>
    public const int MaxDepth = 1024;

    /// <summary>The names in this directory, in the file system's order, without "." and "..".</summary>
    public IReadOnlyList<byte[]> Names()
    {
        var names = new List<byte[]>();
        // A second descriptor, because the read position belongs to the open file.
        using var fresh = OpenChild("."u8);
        var buffer = new byte[32 * 1024];
        fixed (byte* b = buffer)
        {
            nint length;
            while ((length = FileLibc.GetDirectoryEntries(fresh.Descriptor, b, (nuint)buffer.Length)) > 0)
                ReadEntries(buffer.AsSpan(0, (int)length), names);
            Check((int)length, "read directory", "directory");
        }

        return names;
    }

    /// <summary>Removes an entry, and if it is a directory, all that is in it. Returns false if there was none.</summary>
    public bool RemoveTree(ReadOnlySpan<byte> name) => RemoveTree(name, 0);

    /// <summary>Removes all that is in this directory, but not the directory.</summary>
    /// <param name="keep">Told each name in this directory; true keeps it. Null removes all.</param>
    public void RemoveContents(Func<byte[], bool>? keep = null)
    {
        foreach (var name in Names())
        {
            if (keep is null || !keep(name))
                RemoveTree(name, 0);
        }
    }

    /// <summary>The extended attributes of an entry, by name; empty where the file system has none.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Attributes(ReadOnlySpan<byte> name)
    {
        var prefix = Encoding.ASCII.GetBytes($"/proc/self/fd/{Descriptor}/");
        byte[] path = [.. prefix, .. name, 0];
        var list = new byte[64 * 1024];
        nint length;
        fixed (byte* p = path, l = list)
            length = FileLibc.ListAttributes(p, l, (nuint)list.Length);
        if (length <= 0)
            return [];
        var attributes = new List<KeyValuePair<string, byte[]>>();
        foreach (var attribute in Encoding.UTF8.GetString(list, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = new byte[64 * 1024];
            fixed (byte* p = path, a = Terminate(Encoding.UTF8.GetBytes(attribute)), v = value)
            {
                var size = FileLibc.GetAttribute(p, a, v, (nuint)value.Length);
                if (size >= 0)
                    attributes.Add(new(attribute, value[..(int)size]));
            }
        }

        return attributes;
    }

    private bool RemoveTree(ReadOnlySpan<byte> name, int depth)
    {
        if (depth > MaxDepth)
            throw FileErrno.Failure("remove", name, FileErrno.Loop);
        if (Status(name) is not { } status)
            return false;
        if (status.Kind != FileKind.Directory)
            return Unlink(name);
        using (var child = OpenChild(name))
        {
            foreach (var inner in child.Names())
                child.RemoveTree(inner, depth + 1);
        }

        return RemoveDirectory(name);
    }

    // struct linux_dirent64: 0 ino u64 | 8 off s64 | 16 reclen u16 | 18 type u8 | 19 name, NUL-terminated
    private static void ReadEntries(ReadOnlySpan<byte> entries, List<byte[]> names)
    {
        while (!entries.IsEmpty)
        {
            var size = BitConverter.ToUInt16(entries[16..]);
            var name = entries[19..size];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name.ToArray());
            entries = entries[size..];
        }
    }
}
