using System.Text;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>
/// As much of a 64-bit little-endian ELF file as building a guest needs: sections by name, the libraries that a program
/// asks for, and what a kernel module says of itself (System V ABI, "Object Files").
/// <code>
/// file header: 0x00 16 identification, 0x28 8 section table offset, 0x3a 2 entry size (64), 0x3c 2 count, 0x3e 2 name section
/// section: 0x00 4 name, 0x04 4 type, 0x18 8 offset, 0x20 8 size, 0x28 4 link
/// </code>
/// </summary>
sealed class ElfFile
{
    private const int SectionSize = 64, DynamicType = 6, DynamicNeeded = 1;

    private readonly byte[] _data;
    private readonly string _name;
    private readonly List<(string Name, uint Type, long Offset, long Size, int Link)> _sections = [];

    private ElfFile(byte[] data, string name)
    {
        _data = data;
        _name = name;
    }

    public static ElfFile Parse(byte[] data, string name)
    {
        var file = new ElfFile(data, name);
        var cursor = new SpanCursor(data, $"ELF file {name}");
        cursor.Expect("\x7f"u8, "magic");
        cursor.Expect("ELF"u8, "magic");
        cursor.Expect([2, 1, 1], "class, byte order and version");
        var header = new SpanCursor(file.Slice(0x28, 0x18), $"ELF file {name}", 0x28);
        var table = (long)header.ReadUInt64LittleEndian();
        header.ReadBytes(10);
        if (header.ReadUInt16LittleEndian() != SectionSize)
            throw header.Malformed("section headers must have 64 bytes");
        int count = header.ReadUInt16LittleEndian(), names = header.ReadUInt16LittleEndian();
        file.ReadSections(table, count, names);
        return file;
    }

    /// <summary>The DT_NEEDED entries.</summary>
    public IReadOnlyList<string> NeededLibraries()
    {
        var needed = new List<string>();
        foreach (var section in _sections.Where(s => s.Type == DynamicType))
        {
            if (section.Link >= _sections.Count)
                throw new MalformedDataException($"ELF file {_name}", section.Offset, "the dynamic section names no string section");
            var cursor = new SpanCursor(Slice(section.Offset, section.Size), $"ELF file {_name}", section.Offset);
            while (cursor.Remaining >= 16)
            {
                var tag = cursor.ReadUInt64LittleEndian();
                var value = (long)cursor.ReadUInt64LittleEndian();
                if (tag == DynamicNeeded)
                    needed.Add(Text(_sections[section.Link].Offset + value));
            }
        }

        return needed;
    }

    /// <summary>The values of one key of a kernel module's ".modinfo": zero-terminated "key=value" strings.</summary>
    public IReadOnlyList<string> ModuleInfo(string key)
    {
        var section = _sections.FirstOrDefault(s => s.Name == ".modinfo");
        if (section.Name is null)
            throw new MalformedDataException($"ELF file {_name}", -1, "it is no kernel module: it has no .modinfo");
        return
        [
            .. Encoding.UTF8.GetString(Slice(section.Offset, section.Size)).Split('\0')
                .Where(e => e.StartsWith(key + "=", StringComparison.Ordinal)).Select(e => e[(key.Length + 1)..]),
        ];
    }

    private void ReadSections(long table, int count, int names)
    {
        var raw = new List<(uint Name, uint Type, long Offset, long Size, int Link)>();
        for (var i = 0; i < count; i++)
        {
            var at = table + ((long)i * SectionSize);
            var cursor = new SpanCursor(Slice(at, SectionSize), $"ELF file {_name}", at);
            uint name = cursor.ReadUInt32LittleEndian(), type = cursor.ReadUInt32LittleEndian();
            cursor.ReadBytes(16);
            raw.Add((name, type, (long)cursor.ReadUInt64LittleEndian(), (long)cursor.ReadUInt64LittleEndian(), (int)cursor.ReadUInt32LittleEndian()));
        }

        if (names >= raw.Count)
            throw new MalformedDataException($"ELF file {_name}", 0x3e, "there is no section of names");
        _sections.AddRange(raw.Select(r => (Text(raw[names].Offset + r.Name), r.Type, r.Offset, r.Size, r.Link)));
    }

    private string Text(long offset)
    {
        if (offset < 0 || offset >= _data.Length)
            throw new MalformedDataException($"ELF file {_name}", offset, "a string lies outside the file");
        var rest = _data.AsSpan((int)offset);
        var length = rest.IndexOf((byte)0);
        return length < 0 ? throw new MalformedDataException($"ELF file {_name}", offset, "a string does not end") : Encoding.UTF8.GetString(rest[..length]);
    }

    private ReadOnlySpan<byte> Slice(long offset, long size) =>
        offset < 0 || size < 0 || offset > _data.Length - size
            ? throw new MalformedDataException($"ELF file {_name}", offset, "a part lies outside the file")
            : _data.AsSpan((int)offset, (int)size);
}
