using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Measurement.Firmware;

namespace Kist.Measurement.Tdx;

/// <summary>
/// Computes MRTD from a firmware image, as TDH.MEM.PAGE.ADD and TDH.MR.EXTEND do while the domain is built. Nothing else
/// goes into it: memory size, processors and kernel do not.
/// <code>
/// per 4 KiB page added       128 bytes: 0 "MEM.PAGE.ADD"   16 8 guest-physical address   rest zero    TDX module 14.1.1
/// per 256-byte chunk         128 bytes: 0 "MR.EXTEND"      16 8 guest-physical address   rest zero    then the 256 bytes
/// MRTD = SHA-384 of all of it
/// </code>
/// </summary>
public static class MrtdCalculator
{
    private const int PageSize = 4096;
    private const int ChunkSize = 256;
    private const int RecordSize = 128;

    /// <summary>MRTD of <paramref name="firmware"/>, 48 bytes.</summary>
    /// <exception cref="Kist.Formats.OperationFailedException">The image has no TDX metadata.</exception>
    /// <exception cref="Kist.Formats.MalformedDataException">The metadata does not follow its format.</exception>
    public static HashValue Compute(OvmfImage firmware, MrtdVariant variant)
    {
        var sections = firmware.ReadTdvfSections();
        if (sections.IsEmpty)
            throw LaunchNotPossible.Because("firmware", "it has no TDX metadata and cannot start a trust domain");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
        foreach (var section in sections)
            AddSection(hash, firmware.Bytes.Span, section, variant);
        return new HashValue(hash.GetHashAndReset());
    }

    private static void AddSection(IncrementalHash hash, ReadOnlySpan<byte> image, TdvfSection section, MrtdVariant variant)
    {
        if (section.Attributes.HasFlag(TdvfSectionAttributes.PageAugment))
            return;
        var data = image.Slice(section.DataOffset, section.RawDataSize);
        var measured = section.Attributes.HasFlag(TdvfSectionAttributes.MeasureContent);
        var together = measured && variant == MrtdVariant.SinglePass;
        for (ulong offset = 0; offset < section.MemorySize; offset += PageSize)
        {
            AddPage(hash, section.MemoryAddress + offset);
            if (together)
                ExtendPage(hash, section.MemoryAddress + offset, PageOf(data, offset));
        }

        for (ulong offset = 0; measured && !together && offset < section.MemorySize; offset += PageSize)
            ExtendPage(hash, section.MemoryAddress + offset, PageOf(data, offset));
    }

    private static void AddPage(IncrementalHash hash, ulong address)
    {
        Span<byte> record = stackalloc byte[RecordSize];
        "MEM.PAGE.ADD"u8.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], address);
        hash.AppendData(record);
    }

    private static void ExtendPage(IncrementalHash hash, ulong address, ReadOnlySpan<byte> page)
    {
        Span<byte> records = stackalloc byte[(RecordSize + ChunkSize) * (PageSize / ChunkSize)];
        for (var chunk = 0; chunk < PageSize / ChunkSize; chunk++)
        {
            var record = records[(chunk * (RecordSize + ChunkSize))..];
            "MR.EXTEND"u8.CopyTo(record);
            BinaryPrimitives.WriteUInt64LittleEndian(record[16..], address + (ulong)(chunk * ChunkSize));
            page.Slice(chunk * ChunkSize, ChunkSize).CopyTo(record[RecordSize..]);
        }

        hash.AppendData(records);
    }

    private static ReadOnlySpan<byte> PageOf(ReadOnlySpan<byte> data, ulong offset)
    {
        if (offset + PageSize <= (ulong)data.Length)
            return data.Slice((int)offset, PageSize);
        var page = new byte[PageSize];
        if (offset < (ulong)data.Length)
            data[(int)offset..].CopyTo(page);
        return page;
    }
}
