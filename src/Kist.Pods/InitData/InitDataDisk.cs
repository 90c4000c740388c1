using System.Buffers.Binary;
using System.IO.Compression;
using Kist.Formats;

namespace Kist.Pods.InitData;

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
}
