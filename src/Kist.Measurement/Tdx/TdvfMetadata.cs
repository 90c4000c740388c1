using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Measurement.Tdx;

/// <summary>
/// Reads the TDX metadata of a firmware image.
/// <code>
/// −16  16  GUID e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae                                      TDVF design guide 11.2
///   0   4  signature "TDVF"
///   4   4  length of the descriptor: 16 + 32 × sections
///   8   4  version 1
///  12   4  number of sections
/// each section
///   0   4  data offset       4  4  raw data size       8  8  memory address      16  8  memory size
///  24   4  type             28  4  attributes
/// </code>
/// </summary>
static class TdvfMetadata
{
    private const string Structure = "TDVF metadata";
    private const int HeaderSize = 16;
    private const int SectionSize = 32;
    private const int MaximumSections = 64;

    // A firmware image adds a few MiB of pages. The bound keeps a forged size from costing hours of hashing.
    private const ulong MaximumAddedMemory = 1UL << 30;

    private const ulong PageMask = 0xfff;

    private static readonly Guid MetadataGuid = new("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");

    public static ImmutableArray<TdvfSection> Parse(ReadOnlySpan<byte> image, int offset)
    {
        if (offset < 16 || offset > image.Length - HeaderSize)
            throw new MalformedDataException(Structure, offset, "it lies outside the image");
        if (new Guid(image.Slice(offset - 16, 16)) != MetadataGuid)
            throw new MalformedDataException(Structure, offset - 16, $"the GUID before it must be {MetadataGuid}");

        var cursor = new SpanCursor(image[offset..], Structure, offset);
        cursor.Expect("TDVF"u8, "signature");
        var length = cursor.ReadUInt32LittleEndian();
        var version = cursor.ReadUInt32LittleEndian();
        if (version != 1)
            throw cursor.Malformed($"version {version} is not known");
        var count = cursor.ReadUInt32LittleEndian();
        if (count is 0 or > MaximumSections || length != HeaderSize + SectionSize * count)
            throw cursor.Malformed($"{count} sections in {length} bytes are not possible");

        var sections = ImmutableArray.CreateBuilder<TdvfSection>((int)count);
        ulong added = 0;
        for (var i = 0; i < count; i++)
        {
            var section = ReadSection(ref cursor, image.Length);
            if (!section.Attributes.HasFlag(TdvfSectionAttributes.PageAugment))
                added += section.MemorySize;
            if (added > MaximumAddedMemory)
                throw cursor.Malformed($"sections of {added} bytes are more than the limit of {MaximumAddedMemory}");
            sections.Add(section);
        }

        return sections.MoveToImmutable();
    }

    private static TdvfSection ReadSection(ref SpanCursor cursor, int imageSize)
    {
        var dataOffset = cursor.ReadUInt32LittleEndian();
        var rawSize = cursor.ReadUInt32LittleEndian();
        var address = cursor.ReadUInt64LittleEndian();
        var size = cursor.ReadUInt64LittleEndian();
        var type = cursor.ReadUInt32LittleEndian();
        var attributes = cursor.ReadUInt32LittleEndian();

        if ((ulong)dataOffset + rawSize > (uint)imageSize)
            throw cursor.Malformed($"{rawSize} bytes at {dataOffset} lie outside the image");
        if ((address & PageMask) != 0 || (size & PageMask) != 0 || size == 0 || address + size < address)
            throw cursor.Malformed($"0x{size:x} bytes of memory at 0x{address:x} are not whole pages");
        if (size > MaximumAddedMemory && (attributes & (uint)TdvfSectionAttributes.PageAugment) == 0)
            throw cursor.Malformed($"0x{size:x} bytes of memory are more than the limit of 0x{MaximumAddedMemory:x}");
        if (rawSize > size)
            throw cursor.Malformed($"{rawSize} bytes of data do not fit in {size} bytes of memory");
        if ((attributes & ~3u) != 0)
            throw cursor.Malformed($"attributes 0x{attributes:x} are not known");
        return new TdvfSection(
            (int)dataOffset, (int)rawSize, address, size, (TdvfSectionType)type, (TdvfSectionAttributes)attributes);
    }
}
