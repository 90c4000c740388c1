using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>One program header.</summary>
/// <param name="Type">p_type.</param>
/// <param name="Flags">p_flags: X 1, W 2, R 4.</param>
/// <param name="Offset">p_offset.</param>
/// <param name="Address">p_vaddr.</param>
/// <param name="FileSize">p_filesz.</param>
/// <param name="MemorySize">p_memsz.</param>
/// <param name="Alignment">p_align.</param>
internal readonly record struct ElfSegment(
    uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize, ulong Alignment);

/// <summary>One section header.</summary>
/// <param name="Name">The name from the string table.</param>
/// <param name="Address">sh_addr.</param>
/// <param name="Offset">sh_offset.</param>
/// <param name="Size">sh_size.</param>
internal readonly record struct ElfSection(string Name, ulong Address, ulong Offset, ulong Size);

/// <summary>
/// The headers of a 64-bit little-endian ELF file (System V gABI, chapters 4 and 5).
/// <code>
/// header   0 16 e_ident   16 2 e_type   18 2 e_machine   20 4 e_version   24 8 e_entry   32 8 e_phoff   40 8 e_shoff
///         48 4 e_flags    52 2 e_ehsize   54 2 e_phentsize   56 2 e_phnum   58 2 e_shentsize   60 2 e_shnum   62 2 e_shstrndx
/// program  0 4 p_type      4 4 p_flags   8 8 p_offset   16 8 p_vaddr   24 8 p_paddr   32 8 p_filesz   40 8 p_memsz   48 8 p_align
/// section  0 4 sh_name     4 4 sh_type   8 8 sh_flags   16 8 sh_addr   24 8 sh_offset   32 8 sh_size   40 4 sh_link   44 4 sh_info
///         48 8 sh_addralign   56 8 sh_entsize
/// </code>
/// </summary>
internal sealed class ElfFile
{
    public const uint LoadSegment = 1;
    public const uint DynamicSegment = 2;
    public const uint InterpreterSegment = 3;

    private const string Name = "ELF file";
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int SectionHeaderSize = 64;
    private const int MaxSectionNameLength = 256;

    private ElfFile(ushort type, ImmutableArray<ElfSegment> segments, ImmutableArray<ElfSection> sections)
    {
        Type = type;
        Segments = segments;
        Sections = sections;
    }

    /// <summary>e_type: 2 executable, 3 shared object.</summary>
    public ushort Type { get; }

    public ImmutableArray<ElfSegment> Segments { get; }

    public ImmutableArray<ElfSection> Sections { get; }

    public static bool Recognises(ReadOnlySpan<byte> data) => data.StartsWith("\u007fELF"u8);

    /// <summary>Reads the headers; every segment's and section's bytes are known to lie in the file.</summary>
    public static ElfFile Parse(ReadOnlySpan<byte> file)
    {
        var cursor = new SpanCursor(file, Name);
        cursor.Expect("\u007fELF"u8, "magic");
        cursor.Expect([2, 1, 1], "class, byte order and version (64-bit little-endian, 1)");
        cursor.ReadBytes(9);
        var type = cursor.ReadUInt16LittleEndian();
        cursor.Expect([62, 0], "machine (x86-64)");
        cursor.ReadBytes(12);
        var programOffset = cursor.ReadUInt64LittleEndian();
        var sectionOffset = cursor.ReadUInt64LittleEndian();
        cursor.ReadBytes(4);
        cursor.Expect([HeaderSize, 0], "e_ehsize");
        cursor.Expect([ProgramHeaderSize, 0], "e_phentsize");
        var programCount = cursor.ReadUInt16LittleEndian();
        var sectionEntrySize = cursor.ReadUInt16LittleEndian();
        var sectionCount = cursor.ReadUInt16LittleEndian();
        var nameSection = cursor.ReadUInt16LittleEndian();
        if (sectionCount > 0 && sectionEntrySize != SectionHeaderSize)
            throw new MalformedDataException(Name, 58, $"e_shentsize is {sectionEntrySize}, not {SectionHeaderSize}");

        var segments = ImmutableArray.CreateBuilder<ElfSegment>(programCount);
        var headers = Slice(file, programOffset, (ulong)programCount * ProgramHeaderSize, "the program headers");
        for (var i = 0; i < programCount; i++)
            segments.Add(ReadSegment(file, headers.Slice(i * ProgramHeaderSize, ProgramHeaderSize)));
        return new ElfFile(type, segments.MoveToImmutable(), ReadSections(file, sectionOffset, sectionCount, nameSection));
    }

    /// <summary>The bytes at an offset, which are known to be in the file or refused.</summary>
    public static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> file, ulong offset, ulong size, string what)
    {
        if (offset > (ulong)file.Length || size > (ulong)file.Length - offset)
            throw new MalformedDataException(Name, (long)Math.Min(offset, long.MaxValue), $"{what} ({size} bytes) leave the file");
        return file.Slice((int)offset, (int)size);
    }

    private static ElfSegment ReadSegment(ReadOnlySpan<byte> file, ReadOnlySpan<byte> header)
    {
        var segment = new ElfSegment(
            BinaryPrimitives.ReadUInt32LittleEndian(header),
            BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[48..]));
        Slice(file, segment.Offset, segment.FileSize, "a segment");
        return segment;
    }

    private static ImmutableArray<ElfSection> ReadSections(ReadOnlySpan<byte> file, ulong offset, int count, int nameSection)
    {
        if (count == 0)
            return [];
        var headers = Slice(file, offset, (ulong)count * SectionHeaderSize, "the section headers");
        if (nameSection >= count)
            throw new MalformedDataException(Name, 62, "e_shstrndx names no section");
        var names = Contents(file, headers.Slice(nameSection * SectionHeaderSize, SectionHeaderSize));
        var sections = ImmutableArray.CreateBuilder<ElfSection>(count);
        for (var i = 0; i < count; i++)
        {
            var header = headers.Slice(i * SectionHeaderSize, SectionHeaderSize);
            sections.Add(new ElfSection(
                NameAt(names, BinaryPrimitives.ReadUInt32LittleEndian(header)),
                BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
                BinaryPrimitives.ReadUInt64LittleEndian(header[32..])));
        }

        return sections.MoveToImmutable();
    }

    private static ReadOnlySpan<byte> Contents(ReadOnlySpan<byte> file, ReadOnlySpan<byte> header) => Slice(
        file,
        BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
        BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
        "the section names");

    private static string NameAt(ReadOnlySpan<byte> names, uint offset)
    {
        if (offset >= (uint)names.Length)
            throw new MalformedDataException(Name, -1, "a section's name leaves the string table");
        var rest = names[(int)offset..];
        var length = rest.IndexOf((byte)0);
        if (length is < 0 or > MaxSectionNameLength)
            throw new MalformedDataException(Name, -1, "a section's name has no end");
        return Encoding.Latin1.GetString(rest[..length]);
    }
}
