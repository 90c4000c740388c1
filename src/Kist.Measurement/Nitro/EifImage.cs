using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Measurement.Nitro;

/// <summary>
/// An AWS Nitro enclave image file. All numbers are big-endian.
/// <code>
/// header     0 4 ".eif"   4 2 version   6 2 flags   8 8 default memory   16 8 default processors   24 2 reserved
///           26 2 sections   28 256 offsets (32 × 8)   284 256 sizes (32 × 8)   540 4 unused   544 4 CRC-32
/// section    0 2 type     2 2 flags   4 8 size   12 data                 aws-nitro-enclaves-image-format, defs/mod.rs
/// The CRC is over everything but itself.
/// </code>
/// </summary>
public sealed class EifImage
{
    /// <summary>The largest file that is read.</summary>
    public const int MaximumSize = 1 << 30;

    private const string Structure = "enclave image file";
    private const int HeaderSize = 548;
    private const int SectionHeaderSize = 12;
    private const int MaximumSections = 32;
    private const int CrcOffset = 544;

    private EifImage(ushort version, ImmutableArray<EifSection> sections)
    {
        Version = version;
        Sections = sections;
    }

    /// <summary>Version of the format.</summary>
    public ushort Version { get; }

    /// <summary>Its sections in file order.</summary>
    public ImmutableArray<EifSection> Sections { get; }

    /// <summary>Reads a file and checks its CRC.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static EifImage Parse(ReadOnlyMemory<byte> file)
    {
        if (file.Length > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"{file.Length} bytes are more than the limit of {MaximumSize}");
        var cursor = new SpanCursor(file.Span, Structure);
        cursor.Expect(".eif"u8, "magic");
        var version = cursor.ReadUInt16BigEndian();
        if (version is < 1 or > 4)
            throw cursor.Malformed($"version {version} is not known (1 to 4 are)");
        cursor.ReadBytes(20);
        var count = cursor.ReadUInt16BigEndian();
        if (count is 0 or > MaximumSections)
            throw cursor.Malformed($"{count} sections are not between 1 and {MaximumSections}");
        var offsets = ReadNumbers(ref cursor, count);
        var sizes = ReadNumbers(ref cursor, count);
        cursor.ReadBytes(4);
        var crc = cursor.ReadUInt32BigEndian();

        var sections = ImmutableArray.CreateBuilder<EifSection>(count);
        ulong expected = HeaderSize;
        for (var i = 0; i < count; i++)
        {
            if (offsets[i] != expected || sizes[i] > (ulong)file.Length || offsets[i] + SectionHeaderSize + sizes[i] > (ulong)file.Length)
                throw new MalformedDataException(Structure, 28 + 8 * i, $"section {i} of {sizes[i]} bytes at {offsets[i]} does not follow the one before within the file");
            sections.Add(ReadSection(file, (int)offsets[i], sizes[i], i));
            expected = offsets[i] + SectionHeaderSize + sizes[i];
        }

        if (expected != (ulong)file.Length)
            throw new MalformedDataException(Structure, (long)expected, $"{(ulong)file.Length - expected} bytes follow its end");
        var actual = new Crc32();
        actual.Append(file.Span[..CrcOffset]);
        actual.Append(file.Span[(CrcOffset + 4)..]);
        if (actual.Value != crc)
            throw new MalformedDataException(Structure, CrcOffset, $"the CRC is {actual.Value:x8}, not {crc:x8} as stated");
        return new EifImage(version, sections.MoveToImmutable());
    }

    private static EifSection ReadSection(ReadOnlyMemory<byte> file, int offset, ulong size, int index)
    {
        var cursor = new SpanCursor(file.Span[offset..], Structure, offset);
        var type = (EifSectionType)cursor.ReadUInt16BigEndian();
        if (!Enum.IsDefined(type))
            throw cursor.Malformed($"section type {(ushort)type} is not known");
        cursor.ReadBytes(2);
        if (cursor.ReadUInt64BigEndian() != size)
            throw cursor.Malformed($"the size of section {index} is not the one in the header");
        return new EifSection(type, offset, file.Slice(offset + SectionHeaderSize, (int)size));
    }

    private static ulong[] ReadNumbers(ref SpanCursor cursor, int count)
    {
        var numbers = new ulong[MaximumSections];
        for (var i = 0; i < MaximumSections; i++)
            numbers[i] = cursor.ReadUInt64BigEndian();
        return numbers[..count];
    }
}
