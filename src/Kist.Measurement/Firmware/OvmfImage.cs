using System.Collections.Immutable;
using Kist.Formats;
using Kist.Measurement.Tdx;

namespace Kist.Measurement.Firmware;

/// <summary>An OVMF or TDVF flash image: its bytes and what it says to the virtual machine monitor.</summary>
public sealed class OvmfImage
{
    /// <summary>The largest image that is read: far above any in use, which are 2 to 8 MiB.</summary>
    public const int MaximumSize = 64 << 20;

    /// <summary>Entry with the distance of the TDX metadata from the end of the image.</summary>
    public static readonly Guid TdxMetadataOffsetGuid = new("e47a6535-984a-4798-865e-4685a7bf8ec2");

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
        Table is not null && Table.Entries.TryGetValue(TdxMetadataOffsetGuid, out var data)
            ? TdvfMetadata.Parse(Bytes.Span, OffsetFromEnd(data.Span, Bytes.Length, "TDX metadata offset"))
            : [];

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
