using System.Buffers.Binary;
using System.Collections.Immutable;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>
/// The metadata that the Intel SDK's signing tool writes into an enclave: how it is laid out beyond its ELF segments, and
/// its SIGSTRUCT. Little-endian, packed (linux-sgx, common/inc/internal/metadata.h):
/// <code>
///    0     8  magic 0x86a80294635d0e4c
///    8     8  version: major in the upper half, minor in the lower
///   16     4  size of all of it
///   20     4  TCS policy
///   24     4  SSA frame size in pages
///   28     4  largest save area
///   32     4  desired MISCSELECT
///   36     4  least number of pooled TCS
///   40     8  enclave size
///   48    16  desired ATTRIBUTES
///   64  1808  SIGSTRUCT
/// 1872   n×8  directories (offset 4, size 4): patches, layout; from version 1.4 on also ELRANGE, from 1.5 on extended entries
/// </code>
/// </summary>
internal sealed class EnclaveMetadata
{
    public const ulong Magic = 0x86A8_0294_635D_0E4C;
    public const int SigstructOffset = 64;
    public const int MaxSize = 1 << 20;

    private const string Name = "enclave metadata";
    private const int DirectoryOffset = SigstructOffset + Sigstruct.SizeInBytes;
    private const int EntrySize = 32;
    private const int MaxEntries = 4096;

    public required uint SsaFrameSize { get; init; }

    public required uint MiscSelect { get; init; }

    public required ulong EnclaveSize { get; init; }

    public required SgxAttributes Attributes { get; init; }

    public required ulong Version { get; init; }

    /// <summary>The 1808 bytes where the signature is or will be; all zero in an enclave that is not signed.</summary>
    public required ReadOnlyMemory<byte> SigstructBytes { get; init; }

    public required ImmutableArray<MetadataPatch> Patches { get; init; }

    public required ImmutableArray<LayoutEntry> Layout { get; init; }

    /// <summary>All of it: contents of patches and of the layout are at offsets in here.</summary>
    public required ReadOnlyMemory<byte> Bytes { get; init; }

    public static EnclaveMetadata Parse(ReadOnlyMemory<byte> note)
    {
        var cursor = new SpanCursor(note.Span, Name);
        if (cursor.ReadUInt64LittleEndian() != Magic)
            throw new MalformedDataException(Name, 0, "wrong magic number: the enclave was not prepared by a signing tool");
        var version = cursor.ReadUInt64LittleEndian();
        if (version >> 32 != 1)
            throw new MalformedDataException(Name, 8, $"version {version >> 32}.{(uint)version} is not known, only 1.x");
        var size = cursor.ReadUInt32LittleEndian();
        if (size < DirectoryOffset + 16 || size > note.Length)
            throw new MalformedDataException(Name, 16, $"size {size} does not fit the note of {note.Length} bytes");
        cursor.ReadBytes(4);
        var ssaFrameSize = cursor.ReadUInt32LittleEndian();
        cursor.ReadBytes(4);
        var miscSelect = cursor.ReadUInt32LittleEndian();
        cursor.ReadBytes(4);
        var enclaveSize = cursor.ReadUInt64LittleEndian();
        if (ssaFrameSize is 0 or > 256)
            throw new MalformedDataException(Name, 24, $"an SSA frame of {ssaFrameSize} pages");
        if (enclaveSize < 2 * EnclaveImage.PageSize || !ulong.IsPow2(enclaveSize) || enclaveSize > EnclaveImage.MaxEnclaveSize)
            throw new MalformedDataException(Name, 40, $"enclave size {enclaveSize} is not a power of two between 8 KiB and 64 GiB");
        var attributes = SgxAttributes.Read(cursor.ReadBytes(16));
        var bytes = note[..(int)size];
        RefuseElrange(bytes.Span, version);
        return new EnclaveMetadata
        {
            Version = version,
            SsaFrameSize = ssaFrameSize,
            MiscSelect = miscSelect,
            EnclaveSize = enclaveSize,
            Attributes = attributes,
            SigstructBytes = bytes.Slice(SigstructOffset, Sigstruct.SizeInBytes),
            Patches = ReadPatches(bytes.Span),
            Layout = ReadLayout(bytes.Span),
            Bytes = bytes,
        };
    }

    /// <summary>A slice of the metadata, refused if it leaves it.</summary>
    public static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> bytes, uint offset, uint size, string what)
    {
        if (offset > (uint)bytes.Length || size > (uint)bytes.Length - offset)
            throw new MalformedDataException(Name, offset, $"{what} ({size} bytes) leave the metadata");
        return bytes.Slice((int)offset, (int)size);
    }

    /// <summary>The directories, from version 1.4 on, can place the enclave in a larger range; nothing here reads that.</summary>
    private static void RefuseElrange(ReadOnlySpan<byte> bytes, ulong version)
    {
        if ((uint)version < 4)
            return;
        var directory = Slice(bytes, DirectoryOffset + 16, 8, "the ELRANGE directory");
        if (BinaryPrimitives.ReadUInt32LittleEndian(directory[4..]) != 0)
            throw new MalformedDataException(Name, DirectoryOffset + 16, "an ELRANGE of its own is not supported");
    }

    private static ReadOnlySpan<byte> Directory(ReadOnlySpan<byte> bytes, int index, string what)
    {
        var entry = bytes.Slice(DirectoryOffset + (8 * index), 8);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
        if (size % EntrySize != 0 || size / EntrySize > MaxEntries)
            throw new MalformedDataException(Name, DirectoryOffset + (8 * index), $"{what} of {size} bytes");
        return Slice(bytes, BinaryPrimitives.ReadUInt32LittleEndian(entry), size, what);
    }

    private static ImmutableArray<MetadataPatch> ReadPatches(ReadOnlySpan<byte> bytes)
    {
        var table = Directory(bytes, 0, "a patch table");
        var patches = ImmutableArray.CreateBuilder<MetadataPatch>(table.Length / EntrySize);
        for (var i = 0; i < table.Length; i += EntrySize)
        {
            var patch = new MetadataPatch(
                BinaryPrimitives.ReadUInt64LittleEndian(table[i..]),
                BinaryPrimitives.ReadUInt32LittleEndian(table[(i + 8)..]),
                BinaryPrimitives.ReadUInt32LittleEndian(table[(i + 12)..]));
            Slice(bytes, patch.Source, patch.Size, "a patch");
            patches.Add(patch);
        }

        return patches.MoveToImmutable();
    }

    private static ImmutableArray<LayoutEntry> ReadLayout(ReadOnlySpan<byte> bytes)
    {
        var table = Directory(bytes, 1, "a layout table");
        var layout = ImmutableArray.CreateBuilder<LayoutEntry>(table.Length / EntrySize);
        for (var i = 0; i < table.Length; i += EntrySize)
        {
            var entry = LayoutEntry.Read(table.Slice(i, EntrySize));
            if (!entry.IsGroup && entry.ContentOffset != 0)
                Slice(bytes, entry.ContentOffset, entry.ContentSize, "the content of a layout entry");
            if (entry.IsGroup && entry.GroupEntries > i / EntrySize)
                throw new MalformedDataException(Name, -1, "a layout group repeats more entries than precede it");
            layout.Add(entry);
        }

        return layout.MoveToImmutable();
    }
}
