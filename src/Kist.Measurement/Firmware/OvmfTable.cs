using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Measurement.Firmware;

/// <summary>
/// The table of GUIDed entries below the reset vector of OVMF, by which a virtual machine monitor finds what it must
/// know about the firmware. It is read from its end.
/// <code>
/// end−32   32  reset vector code
/// before   18  { u16 size of the table with this entry, GUID 96b582de-1fb2-45f7-baea-a366c55a082d }   OVMF X64/ResetVector
/// before   18  { u16 size of the entry with its data, GUID }, and its data before that; repeated
/// </code>
/// </summary>
public sealed class OvmfTable
{
    private const string Structure = "OVMF GUIDed table";
    private const int ResetVectorSize = 32;
    private const int EntryHeaderSize = 18;

    private static readonly Guid FooterGuid = new("96b582de-1fb2-45f7-baea-a366c55a082d");

    private readonly ImmutableDictionary<Guid, ReadOnlyMemory<byte>> _entries;

    private OvmfTable(ImmutableDictionary<Guid, ReadOnlyMemory<byte>> entries) => _entries = entries;

    /// <summary>The data of each entry.</summary>
    public IReadOnlyDictionary<Guid, ReadOnlyMemory<byte>> Entries => _entries;

    /// <summary>Reads the table; null if the firmware has none.</summary>
    /// <exception cref="MalformedDataException">The footer is there but the table does not follow its format.</exception>
    public static OvmfTable? Parse(ReadOnlyMemory<byte> firmware)
    {
        var footer = firmware.Length - ResetVectorSize - EntryHeaderSize;
        if (footer < 0)
            return null;
        var (size, guid) = ReadHeader(firmware.Span, footer);
        if (guid != FooterGuid)
            return null;
        if (size < EntryHeaderSize || size > footer + EntryHeaderSize)
            throw new MalformedDataException(Structure, footer, $"a size of {size} bytes does not fit");

        var start = footer + EntryHeaderSize - size;
        var entries = ImmutableDictionary.CreateBuilder<Guid, ReadOnlyMemory<byte>>();
        for (var end = footer; end > start;)
        {
            var header = end - EntryHeaderSize;
            if (header < start)
                throw new MalformedDataException(Structure, start, $"{end - start} bytes are left over before its first entry");
            var (length, id) = ReadHeader(firmware.Span, header);
            if (length < EntryHeaderSize || length > end - start)
                throw new MalformedDataException(Structure, header, $"an entry of {length} bytes does not fit");
            if (!entries.TryAdd(id, firmware.Slice(end - length, length - EntryHeaderSize)))
                throw new MalformedDataException(Structure, header, $"entry {id} is there twice");
            end -= length;
        }

        return new OvmfTable(entries.ToImmutable());
    }

    private static (int Size, Guid Guid) ReadHeader(ReadOnlySpan<byte> firmware, int offset)
    {
        var cursor = new SpanCursor(firmware.Slice(offset, EntryHeaderSize), Structure, offset);
        return (cursor.ReadUInt16LittleEndian(), new Guid(cursor.ReadBytes(16)));
    }
}
