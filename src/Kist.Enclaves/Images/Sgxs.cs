using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>
/// A canonical SGXS stream: the very bytes that the processor hashes, so that their SHA-256 is MRENCLAVE. Records of 64
/// bytes, little-endian:
/// <code>
/// ECREATE   0 8 "ECREATE\0"       8 4 SSAFRAMESIZE   12 8 SIZE     20 44 zero
/// EADD      0 8 "EADD\0\0\0\0"    8 8 offset         16 8 SECINFO.FLAGS   24 40 zero
/// EEXTEND   0 8 "EEXTEND\0"       8 8 offset         16 48 zero    then 256 bytes of content
/// UNMEASRD  0 8 "UNMEASRD"        8 8 offset         16 48 zero    then 256 bytes that are loaded, not measured
/// </code>
/// The last is the pseudo-record of the format's extended form (github.com/fortanix/rust-sgx, sgxs crate).
/// </summary>
public static class Sgxs
{
    /// <summary>Most bytes of a stream that are read: 1 GiB.</summary>
    public const long MaxLength = 1L << 30;

    private const string Name = "SGXS stream";
    private const int RecordSize = 64;
    private const int ChunkSize = 256;
    private const ushort AllChunks = ushort.MaxValue;

    /// <summary>True if the data begins like a stream.</summary>
    public static bool Recognises(ReadOnlySpan<byte> data) => data.StartsWith("ECREATE\0"u8);

    /// <summary>MRENCLAVE of a stream: 32 bytes. Chunks may be measured one by one, as the processor allows.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static byte[] Measure(ReadOnlySpan<byte> stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Walk(stream, (in SgxsRecord record, ReadOnlySpan<byte> bytes) =>
        {
            if (record.Kind != SgxsRecordKind.Unmeasured)
                hash.AppendData(bytes);
        });
        return hash.GetHashAndReset();
    }

    /// <summary>
    /// The stream's pages, for loading. Linux measures whole pages or none of a page, so a page that is measured in part
    /// cannot be loaded.
    /// </summary>
    /// <exception cref="MalformedDataException">It is none, or a page is measured in part or out of order.</exception>
    public static EnclaveImage Read(ReadOnlySpan<byte> stream)
    {
        var pages = new List<EnclavePage>();
        SgxsRecord create = default;
        byte[]? content = null;
        ushort measured = 0;
        SgxsRecord page = default;
        void Finish()
        {
            if (page.Kind != SgxsRecordKind.AddPage)
                return;
            if (measured is not (0 or AllChunks))
                throw new MalformedDataException(Name, page.Position, "a page is measured in part, which Linux cannot load");
            pages.Add(new EnclavePage(page.Offset, page.Value, content, measured == AllChunks));
        }

        Walk(stream, (in SgxsRecord record, ReadOnlySpan<byte> bytes) =>
        {
            switch (record.Kind)
            {
                case SgxsRecordKind.Create:
                    create = record;
                    break;
                case SgxsRecordKind.AddPage:
                    Finish();
                    (page, content, measured) = (record, null, 0);
                    break;
                default:
                    var chunk = (int)((record.Offset - page.Offset) / ChunkSize);
                    if (record.Kind == SgxsRecordKind.Extend)
                    {
                        if (measured != (1 << chunk) - 1)
                            throw new MalformedDataException(Name, record.Position, "chunks are measured out of order, which Linux cannot load");
                        measured |= (ushort)(1 << chunk);
                    }

                    content ??= new byte[EnclaveImage.PageSize];
                    bytes[RecordSize..].CopyTo(content.AsSpan(chunk * ChunkSize));
                    break;
            }
        });
        Finish();
        return new EnclaveImage(create.Offset, (uint)create.Value, pages);
    }

    /// <summary>Writes an image as a canonical stream. Content that is not measured becomes UNMEASRD records.</summary>
    public static void Write(EnclaveImage image, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(destination);
        Span<byte> record = stackalloc byte[RecordSize];
        record.Clear();
        "ECREATE\0"u8.CopyTo(record);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], image.SsaFrameSize);
        BinaryPrimitives.WriteUInt64LittleEndian(record[12..], image.EnclaveSize);
        destination.Write(record);
        foreach (var page in image.Pages)
        {
            WriteRecord(destination, record, "EADD\0\0\0\0"u8, page.Offset, page.SecInfoFlags);
            if (!page.IsMeasured && page.Content.IsEmpty)
                continue;
            var tag = page.IsMeasured ? "EEXTEND\0"u8 : "UNMEASRD"u8;
            for (var chunk = 0; chunk < EnclaveImage.PageSize; chunk += ChunkSize)
            {
                WriteRecord(destination, record, tag, page.Offset + (ulong)chunk, 0);
                destination.Write(EnclaveImage.ContentOf(page).Slice(chunk, ChunkSize));
            }
        }
    }

    private static void WriteRecord(Stream destination, Span<byte> record, ReadOnlySpan<byte> tag, ulong offset, ulong flags)
    {
        record.Clear();
        tag.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], flags);
        destination.Write(record);
    }

    private static void Walk(ReadOnlySpan<byte> stream, SgxsVisitor visit)
    {
        if (stream.Length > MaxLength)
            throw new MalformedDataException(Name, -1, $"{stream.Length} bytes, more than the limit of {MaxLength}");
        var cursor = new SpanCursor(stream, Name);
        var create = ReadCreate(ref cursor);
        visit(create, stream[..RecordSize]);
        ulong? page = null;
        while (cursor.Remaining > 0)
        {
            var start = cursor.Position;
            var record = ReadRecord(ref cursor, create.Offset);
            if (record.Kind == SgxsRecordKind.AddPage)
            {
                page = record.Offset;
            }
            else
            {
                if (page is not { } current || record.Offset - current >= EnclaveImage.PageSize)
                    throw new MalformedDataException(Name, start, "a chunk does not belong to the page before it");
                cursor.ReadBytes(ChunkSize);
            }

            visit(record, stream[start..cursor.Position]);
        }
    }

    private static SgxsRecord ReadCreate(ref SpanCursor cursor)
    {
        cursor.Expect("ECREATE\0"u8, "the first record's tag");
        var ssaFrameSize = cursor.ReadUInt32LittleEndian();
        var size = cursor.ReadUInt64LittleEndian();
        if (ssaFrameSize == 0)
            throw cursor.Malformed("SSAFRAMESIZE must be at least 1");
        if (size < 2 * EnclaveImage.PageSize || !ulong.IsPow2(size) || size > EnclaveImage.MaxEnclaveSize)
            throw cursor.Malformed("SIZE must be a power of two between 8 KiB and 64 GiB");
        cursor.ReadReserved(44, "reserved bytes");
        return new SgxsRecord(SgxsRecordKind.Create, 0, size, ssaFrameSize);
    }

    private static SgxsRecord ReadRecord(ref SpanCursor cursor, ulong enclaveSize)
    {
        var start = cursor.Position;
        var tag = cursor.ReadBytes(8);
        var kind = tag.SequenceEqual("EADD\0\0\0\0"u8) ? SgxsRecordKind.AddPage
            : tag.SequenceEqual("EEXTEND\0"u8) ? SgxsRecordKind.Extend
            : tag.SequenceEqual("UNMEASRD"u8) ? SgxsRecordKind.Unmeasured
            : throw new MalformedDataException(Name, start, $"unknown record {Convert.ToHexStringLower(tag)}");
        var offset = cursor.ReadUInt64LittleEndian();
        var alignment = kind == SgxsRecordKind.AddPage ? EnclaveImage.PageSize : ChunkSize;
        if (offset >= enclaveSize || offset % (ulong)alignment != 0)
            throw new MalformedDataException(Name, start + 8, $"offset {offset} is not a multiple of {alignment} inside the enclave");
        ulong flags = 0;
        if (kind == SgxsRecordKind.AddPage)
        {
            flags = cursor.ReadUInt64LittleEndian();
            if ((flags & ~0xff07ul) != 0 || (flags & 0xff00) is not (0x100 or 0x200))
                throw new MalformedDataException(Name, start + 16, $"SECINFO.FLAGS 0x{flags:x} cannot be added");
            cursor.ReadReserved(40, "reserved bytes");
        }
        else
        {
            cursor.ReadReserved(48, "reserved bytes");
        }

        return new SgxsRecord(kind, start, offset, flags);
    }
}
