using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>
/// The pages that relocations write to, in enclaves with relocations of code (DT_TEXTREL): the SDK's loader adds them
/// writable, which is measured. Empty for all other enclaves.
/// </summary>
internal sealed class RelocationPages
{
    private const int EntrySize = 24;
    private const int MaxDynamicEntries = 1024;
    private const ulong TextRelocations = 22;
    private const ulong Rela = 7;
    private const ulong RelaSize = 8;
    private const ulong JumpRelocations = 23;
    private const ulong JumpRelocationsSize = 2;

    private readonly HashSet<ulong> _pages = [];

    private RelocationPages()
    {
    }

    public bool Contains(ulong pageOffset) => _pages.Contains(pageOffset);

    public static RelocationPages Of(ReadOnlySpan<byte> file, ElfFile elf)
    {
        var pages = new RelocationPages();
        var dynamic = ReadDynamic(file, elf);
        if (!dynamic.ContainsKey(TextRelocations))
            return pages;
        pages.AddTable(file, elf, dynamic, Rela, RelaSize);
        pages.AddTable(file, elf, dynamic, JumpRelocations, JumpRelocationsSize);
        return pages;
    }

    private static Dictionary<ulong, ulong> ReadDynamic(ReadOnlySpan<byte> file, ElfFile elf)
    {
        var entries = new Dictionary<ulong, ulong>();
        var segment = elf.Segments.FirstOrDefault(s => s.Type == ElfFile.DynamicSegment);
        var table = ElfFile.Slice(file, segment.Offset, segment.FileSize, "the dynamic segment");
        for (var i = 0; i + 16 <= table.Length && i / 16 < MaxDynamicEntries; i += 16)
        {
            var tag = BinaryPrimitives.ReadUInt64LittleEndian(table[i..]);
            if (tag == 0)
                break;
            entries[tag] = BinaryPrimitives.ReadUInt64LittleEndian(table[(i + 8)..]);
        }

        return entries;
    }

    private void AddTable(ReadOnlySpan<byte> file, ElfFile elf, Dictionary<ulong, ulong> dynamic, ulong tag, ulong sizeTag)
    {
        if (!dynamic.TryGetValue(tag, out var address) || !dynamic.TryGetValue(sizeTag, out var size))
            return;
        var section = elf.Sections.FirstOrDefault(s => s.Address == address && s.Name is { Length: > 0 });
        if (section.Name is null)
            throw new MalformedDataException("ELF enclave", -1, "no section holds a relocation table");
        var table = ElfFile.Slice(file, section.Offset, size, "a relocation table");
        for (var i = 0; i + EntrySize <= table.Length; i += EntrySize)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(table[(i + 8)..]) == 0)
                continue;
            var target = BinaryPrimitives.ReadUInt64LittleEndian(table[i..]);
            _pages.Add(target & ~4095ul);
            if ((target & 4095) > 4096 - 8)
                _pages.Add((target & ~4095ul) + 4096);
        }
    }
}
