using System.Buffers.Binary;
using System.IO.Compression;
using Kist.Formats;

namespace Kist.Pods.Protocol;

/// <summary>
/// The disk on which a host hands init-data to a guest, as Kata Containers lays it out (src/libs/kata-types/src/initdata.rs).
/// <code>
/// offset size field
/// 0x00   8    magic "initdata"
/// 0x08   8    length of the gzip member, little-endian
/// 0x10   n    gzip of the document
/// ...         zeros up to a multiple of 512
/// </code>
/// Nothing here is trusted: the guest compares the document's digest with what the TEE reports.
/// </summary>
public static class InitDataDisk
{
    /// <summary>The largest document that guests here accept.</summary>
    public const int MaximumDocument = 1 << 20;

    private const int HeaderSize = 16, Sector = 512;

    private static ReadOnlySpan<byte> Magic => "initdata"u8;

    /// <summary>Writes the disk.</summary>
    public static byte[] Write(ReadOnlySpan<byte> document)
    {
        if (document.Length > MaximumDocument)
            throw new OperationFailedException("write init-data disk", "document", $"is longer than {MaximumDocument} bytes");
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(document);
        var disk = new byte[(HeaderSize + (int)compressed.Length + Sector - 1) / Sector * Sector];
        Magic.CopyTo(disk);
        BinaryPrimitives.WriteUInt64LittleEndian(disk.AsSpan(8), (ulong)compressed.Length);
        compressed.GetBuffer().AsSpan(0, (int)compressed.Length).CopyTo(disk.AsSpan(HeaderSize));
        return disk;
    }

    /// <summary>True if a disk begins like one of these.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Reads the document from a disk: never more than <see cref="MaximumDocument"/> bytes, whatever the disk says.</summary>
    /// <exception cref="MalformedDataException">The disk or its gzip does not follow the format.</exception>
    public static byte[] Read(Stream disk)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (disk.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize)
            throw new MalformedDataException("init-data disk", 0, "is shorter than its header");
        var cursor = new SpanCursor(header, "init-data disk");
        cursor.Expect(Magic, "magic");
        var length = cursor.ReadUInt64LittleEndian();
        if (length > MaximumDocument)
            throw new MalformedDataException("init-data disk", 8, $"length is {length}, more than the limit of {MaximumDocument}");
        var compressed = new byte[(int)length];
        if (disk.ReadAtLeast(compressed, compressed.Length, throwOnEndOfStream: false) < compressed.Length)
            throw new MalformedDataException("init-data disk", HeaderSize, $"the disk ends before the {length} bytes that it announces");
        return Decompress(compressed);
    }

    private static byte[] Decompress(byte[] compressed)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
            var document = new byte[MaximumDocument + 1];
            var read = gzip.ReadAtLeast(document, document.Length, throwOnEndOfStream: false);
            return read <= MaximumDocument
                ? document[..read]
                : throw new MalformedDataException("init-data disk", HeaderSize, $"the document is longer than {MaximumDocument} bytes");
        }
        catch (InvalidDataException e)
        {
            throw new MalformedDataException("init-data disk", HeaderSize, "is not gzip", e);
        }
    }
}
