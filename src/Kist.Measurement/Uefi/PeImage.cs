using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Measurement.Uefi;

/// <summary>
/// A PE/COFF image as firmware sees it: its sections, and its Authenticode digest, by which firmware measures it.
/// <code>
/// DOS header        0 2 "MZ"   0x3c 4 offset of the PE header                                    Microsoft PE/COFF 2, 3, 4
/// PE header         0 4 "PE\0\0"   6 2 number of sections   20 2 size of the optional header   24 optional header
/// optional header   0 2 magic 0x10b or 0x20b   60 4 SizeOfHeaders   64 4 CheckSum
///                   92 or 108 4 NumberOfRvaAndSizes   then 8 bytes a data directory; the fifth is the certificate table
/// section header    0 8 name   8 4 VirtualSize   16 4 SizeOfRawData   20 4 PointerToRawData      40 bytes each
/// </code>
/// </summary>
public sealed class PeImage
{
    /// <summary>The largest image that is read; unified kernel images reach 200 MiB.</summary>
    public const int MaximumSize = 1 << 30;

    private const string Structure = "PE image";
    private const int PeHeaderSize = 24;
    private const int SectionHeaderSize = 40;
    private const int MaximumSections = 96;
    private const int CertificateDirectory = 4;
    private const ushort Pe32 = 0x10b;
    private const ushort Pe32Plus = 0x20b;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly int _checkSumOffset;
    private readonly int _certificateEntryOffset;
    private readonly int _headersSize;

    private PeImage(
        ReadOnlyMemory<byte> bytes, int checkSumOffset, int certificateEntryOffset, int headersSize, ImmutableArray<PeSection> sections)
    {
        _bytes = bytes;
        _checkSumOffset = checkSumOffset;
        _certificateEntryOffset = certificateEntryOffset;
        _headersSize = headersSize;
        Sections = sections;
    }

    /// <summary>SizeOfHeaders: bytes of all headers.</summary>
    public int HeadersSize => _headersSize;

    /// <summary>Its sections in the order of the section table.</summary>
    public ImmutableArray<PeSection> Sections { get; }

    /// <summary>Reads an image.</summary>
    /// <param name="bytes">The whole file; the image keeps this memory.</param>
    /// <exception cref="MalformedDataException">It is not a PE image, or a part lies outside the file.</exception>
    public static PeImage Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaximumSize)
            throw new MalformedDataException(Structure, -1, $"{bytes.Length} bytes are more than the limit of {MaximumSize}");
        var file = bytes.Span;
        if (file.Length < 0x40 || !file.StartsWith("MZ"u8))
            throw new MalformedDataException(Structure, 0, "it does not start with a DOS header");
        var pe = Place(new SpanCursor(file[0x3c..], Structure, 0x3c).ReadUInt32LittleEndian(), PeHeaderSize, file.Length, "PE header");

        var header = new SpanCursor(file.Slice(pe, PeHeaderSize), Structure, pe);
        header.Expect("PE\0\0"u8, "PE signature");
        header.ReadBytes(2);
        var sectionCount = header.ReadUInt16LittleEndian();
        header.ReadBytes(12);
        var optionalSize = header.ReadUInt16LittleEndian();
        if (sectionCount is 0 or > MaximumSections)
            throw header.Malformed($"{sectionCount} sections are not between 1 and {MaximumSections}");

        var optional = pe + PeHeaderSize;
        var (headersSize, certificateEntry) = ReadOptionalHeader(file, optional, optionalSize);
        var table = Place((uint)(optional + optionalSize), sectionCount * SectionHeaderSize, file.Length, "section table");
        if (table + sectionCount * SectionHeaderSize > headersSize)
            throw new MalformedDataException(Structure, table, $"the section table is not within the {headersSize} bytes of headers");
        return new PeImage(bytes, optional + 64, certificateEntry, headersSize, ReadSections(file, table, sectionCount));
    }

    /// <summary>The bytes of a section that the file holds, without the padding of the file alignment.</summary>
    public ReadOnlyMemory<byte> DataOf(PeSection section) =>
        _bytes.Slice((int)section.RawDataOffset, (int)Math.Min(section.RawDataSize, section.VirtualSize));

    /// <summary>The first section of this name, or null.</summary>
    public PeSection? FindSection(string name) => Sections.FirstOrDefault(s => s.Name == name);

    /// <summary>
    /// The Authenticode digest as EDK II computes it when it measures or verifies an image: without checksum, certificate
    /// table entry and certificate table. Data after the last section counts. Signing tools pad such data to a multiple of
    /// eight bytes first; firmware does not.
    /// </summary>
    /// <exception cref="MalformedDataException">Sections and certificate table are together longer than the file.</exception>
    public HashValue AuthenticodeDigest(HashAlgorithmName algorithm)
    {
        var file = _bytes.Span;
        using var hash = IncrementalHash.CreateHash(algorithm);
        hash.AppendData(file[.._checkSumOffset]);
        var at = _checkSumOffset + 4;
        long certificateSize = 0;
        if (_certificateEntryOffset >= 0)
        {
            hash.AppendData(file[at.._certificateEntryOffset]);
            at = _certificateEntryOffset + 8;
            certificateSize = new SpanCursor(file[(_certificateEntryOffset + 4)..], Structure).ReadUInt32LittleEndian();
        }

        hash.AppendData(file[at.._headersSize]);
        long hashed = _headersSize;
        foreach (var section in Sections.Where(s => s.RawDataSize != 0).OrderBy(s => s.RawDataOffset))
        {
            hash.AppendData(file.Slice((int)section.RawDataOffset, (int)section.RawDataSize));
            hashed += section.RawDataSize;
        }

        if (hashed + certificateSize > file.Length)
            throw new MalformedDataException(Structure, -1, $"headers, sections and certificates of {hashed + certificateSize} bytes are more than the file's {file.Length}");
        hash.AppendData(file[(int)hashed..(int)(file.Length - certificateSize)]);
        return new HashValue(hash.GetHashAndReset());
    }

    private static (int HeadersSize, int CertificateEntry) ReadOptionalHeader(ReadOnlySpan<byte> file, int offset, int size)
    {
        if (size < 68 || offset + size > file.Length)
            throw new MalformedDataException(Structure, offset, $"an optional header of {size} bytes is not possible");
        var optional = file.Slice(offset, size);
        var magic = new SpanCursor(optional, Structure, offset).ReadUInt16LittleEndian();
        var countOffset = magic switch
        {
            Pe32 => 92,
            Pe32Plus => 108,
            _ => throw new MalformedDataException(Structure, offset, $"optional header magic 0x{magic:x} is not known"),
        };
        if (size < countOffset + 4)
            throw new MalformedDataException(Structure, offset, $"an optional header of {size} bytes is too short");

        var headersSize = Place(new SpanCursor(optional[60..], Structure, offset + 60).ReadUInt32LittleEndian(), 0, file.Length, "end of headers");
        var directories = new SpanCursor(optional[countOffset..], Structure, offset + countOffset).ReadUInt32LittleEndian();
        if (headersSize < offset + size || directories > (uint)(size - countOffset - 4) / 8)
            throw new MalformedDataException(Structure, offset, "the optional header is longer than the headers");
        return (headersSize, directories > CertificateDirectory ? offset + countOffset + 4 + 8 * CertificateDirectory : -1);
    }

    private static ImmutableArray<PeSection> ReadSections(ReadOnlySpan<byte> file, int table, int count)
    {
        var sections = ImmutableArray.CreateBuilder<PeSection>(count);
        for (var i = 0; i < count; i++)
        {
            var start = table + i * SectionHeaderSize;
            var cursor = new SpanCursor(file.Slice(start, SectionHeaderSize), Structure, start);
            var name = Encoding.Latin1.GetString(cursor.ReadBytes(8)).TrimEnd('\0');
            var virtualSize = cursor.ReadUInt32LittleEndian();
            cursor.ReadBytes(4);
            var rawSize = cursor.ReadUInt32LittleEndian();
            var rawOffset = cursor.ReadUInt32LittleEndian();
            if (rawSize != 0)
                Place(rawOffset, rawSize, file.Length, $"section {i}");
            sections.Add(new PeSection(name, virtualSize, rawSize == 0 ? 0 : rawOffset, rawSize));
        }

        return sections.MoveToImmutable();
    }

    private static int Place(uint offset, long size, int fileSize, string what)
    {
        if (offset + size > fileSize)
            throw new MalformedDataException(Structure, offset, $"{what}: {size} bytes at {offset} lie outside the file of {fileSize} bytes");
        return (int)offset;
    }
}
