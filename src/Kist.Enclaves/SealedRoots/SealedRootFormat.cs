using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Enclaves.Manifests;
using Kist.Formats;

namespace Kist.Enclaves.SealedRoots;

/// <summary>
/// An image's root, encrypted for the enclaves of one pod; the host keeps the file and cannot read or change it.
/// <code>
///  0   8  "KISTROOT"
///  8   4  version, 1                              all numbers little-endian
/// 12   4  bytes of a chunk's text, 65536
/// 16   8  bytes of the whole text
/// 24   8  bytes of the index, with which the text begins
/// 32  32  SHA-256 of the image, as its reference has it
/// 64   …  chunks: AES-256-GCM, the text's next 65536 bytes (the last chunk has what is left) and a tag of 16 bytes;
///         nonce: the chunk's number in 12 bytes; authenticated with it: bytes 0 to 63
/// text: the index (JSON, an array of the manifest's "files"), then the contents of its files in the index's order
/// </code>
/// A key is used for one file only, so no nonce comes twice; the length in the header makes cutting off show.
/// </summary>
static class SealedRootFormat
{
    public const int HeaderSize = 64;
    public const int ChunkSize = 65536;
    public const int TagSize = 16;
    public const int NonceSize = 12;
    public const int KeySize = 32;
    public const int DigestSize = 32;
    public const long MaxIndexBytes = 256 << 20;
    public const string Name = "sealed root";

    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "KISTROOT"u8;

    public static byte[] WriteHeader(long length, long indexLength, ReadOnlySpan<byte> imageDigest)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), ChunkSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), indexLength);
        imageDigest.CopyTo(header.AsSpan(32));
        return header;
    }

    /// <summary>The lengths in a header that the file's own length bears out.</summary>
    public static (long Length, long IndexLength) ReadHeader(ReadOnlySpan<byte> header, long fileLength, ReadOnlySpan<byte> imageDigest)
    {
        if (!header.StartsWith(Magic))
            throw new MalformedDataException(Name, 0, "it does not begin like one");
        var (version, chunk) = (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]), BinaryPrimitives.ReadUInt32LittleEndian(header[12..]));
        if (version != Version || chunk != ChunkSize)
            throw new MalformedDataException(Name, 8, $"version {version} with chunks of {chunk} bytes is not known");
        var (length, index) = (BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        if (length <= 0 || length > long.MaxValue / 2 || fileLength != HeaderSize + length + (Chunks(length) * TagSize))
            throw new MalformedDataException(Name, 16, $"{fileLength} bytes do not hold a text of {length}");
        if (index is <= 0 or > MaxIndexBytes || index > length)
            throw new MalformedDataException(Name, 24, $"an index of {index} bytes is not possible");
        return header[32..HeaderSize].SequenceEqual(imageDigest)
            ? (length, index) : throw new MalformedDataException(Name, 32, "it is of another image");
    }

    public static long Chunks(long length) => (length + ChunkSize - 1) / ChunkSize;

    public static void WriteNonce(Span<byte> nonce, long chunk)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, chunk);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ManifestFile[]))]
sealed partial class SealedRootJson : JsonSerializerContext;
