using System.Collections.Immutable;
using Kist.Formats;
using Kist.Measurement.Tdx;

namespace Kist.Measurement.Firmware;

/// <summary>An OVMF or TDVF flash image: its bytes and what it says to the virtual machine monitor.</summary>
public sealed class OvmfImage
{
    /// <summary>The largest image that is read: far above any in use, which are 2 to 8 MiB.</summary>
    public const int MaximumSize = 64 << 20;

    private static readonly Guid TdxMetadataOffsetGuid = new("e47a6535-984a-4798-865e-4685a7bf8ec2");
    private static readonly Guid SevMetadataOffsetGuid = new("dc886566-984a-4798-a75e-5585a7bf67cc");
    private static readonly Guid SevHashTableGuid = new("7255371f-3a3b-4b04-927b-1da6efa8d454");
    private static readonly Guid SevEsResetBlockGuid = new("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
    private static readonly Guid SvsmInformationGuid = new("a789a612-0597-4c4b-a49f-cbb1fe9d1ddd");

    private OvmfImage(ReadOnlyMemory<byte> bytes, OvmfTable? table)
    {
        Bytes = bytes;
        Table = table;
    }

    /// <summary>The image as it is mapped below 4 GiB.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The GUIDed table, or null if the image has none.</summary>
    public OvmfTable? Table { get; }

    /// <summary>Reads an image.</summary>
    /// <param name="bytes">The whole file; the image keeps this memory.</param>
    /// <exception cref="MalformedDataException">It is empty or too large, or its table does not follow its format.</exception>
    public static OvmfImage Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length is 0 or > MaximumSize)
            throw new MalformedDataException("OVMF image", -1, $"a size of {bytes.Length} bytes is not between 1 and {MaximumSize}");
        return new OvmfImage(bytes, OvmfTable.Parse(bytes));
    }

    /// <summary>
    /// Reads the sections of its TDX metadata, in file order; empty if it has none and cannot start a trust domain. They
    /// refer to the whole flash: an image that lies in two files (variables, code) must be joined in this order first.
    /// </summary>
    /// <exception cref="MalformedDataException">The metadata does not follow its format or names bytes outside the image.</exception>
    public ImmutableArray<TdvfSection> ReadTdvfSections() =>
        Find(TdxMetadataOffsetGuid) is { } data
            ? TdvfMetadata.Parse(Bytes.Span, OffsetFromEnd(data.Span, Bytes.Length, "TDX metadata offset"))
            : [];

    /// <summary>Reads the sections of its SEV metadata, in file order; empty if it has none.</summary>
    /// <exception cref="MalformedDataException">The metadata does not follow its format.</exception>
    public ImmutableArray<SevSection> ReadSevSections() =>
        Find(SevMetadataOffsetGuid) is { } data
            ? SevMetadata.Parse(Bytes.Span, OffsetFromEnd(data.Span, Bytes.Length, "SEV metadata offset"))
            : [];

    /// <summary>
    /// Guest-physical address of the table of kernel hashes; null if the firmware does not check a kernel's hashes (it has
    /// no entry, or one of zeros, as plain OVMF has).
    /// </summary>
    /// <exception cref="MalformedDataException">The entry does not follow its format.</exception>
    public uint? ReadSevHashTableAddress()
    {
        if (Find(SevHashTableGuid) is not { } data)
            return null;
        var cursor = new SpanCursor(data.Span, "SEV hash table entry");
        var address = cursor.ReadUInt32LittleEndian();
        cursor.ReadUInt32LittleEndian();
        cursor.ExpectEnd();
        return address == 0 ? null : address;
    }

    /// <summary>Where application processors start under SEV-ES; null if the firmware has no reset block.</summary>
    /// <exception cref="MalformedDataException">The entry does not follow its format.</exception>
    public uint? ReadSevEsResetAddress() => ReadUInt32(SevEsResetBlockGuid, "SEV-ES reset block");

    /// <summary>Offset of the entry point of an SVSM image from its start; null if it is none.</summary>
    /// <exception cref="MalformedDataException">The entry does not follow its format.</exception>
    public uint? ReadSvsmEntryOffset() => ReadUInt32(SvsmInformationGuid, "SVSM information");

    private uint? ReadUInt32(Guid guid, string structure)
    {
        if (Find(guid) is not { } data)
            return null;
        var cursor = new SpanCursor(data.Span, structure);
        var value = cursor.ReadUInt32LittleEndian();
        cursor.ExpectEnd();
        return value;
    }

    // The cast matters: a bare null would become an empty memory, by way of a null array.
    private ReadOnlyMemory<byte>? Find(Guid guid) =>
        Table is not null && Table.Entries.TryGetValue(guid, out var data) ? data : (ReadOnlyMemory<byte>?)null;

    /// <summary>Reads an entry that holds a distance from the end of the image and gives the place it points at.</summary>
    internal static int OffsetFromEnd(ReadOnlySpan<byte> entry, int imageSize, string structure)
    {
        var cursor = new SpanCursor(entry, structure);
        var distance = cursor.ReadUInt32LittleEndian();
        cursor.ExpectEnd();
        if (distance > (uint)imageSize)
            throw new MalformedDataException(structure, 0, $"{distance} bytes from the end lie outside the image of {imageSize} bytes");
        return imageSize - (int)distance;
    }
}
