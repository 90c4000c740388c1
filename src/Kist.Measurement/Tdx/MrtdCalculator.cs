using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Measurement.Firmware;

namespace Kist.Measurement.Tdx;

/// <summary>
/// Computes MRTD from a firmware image, as TDH.MEM.PAGE.ADD and TDH.MR.EXTEND do while the domain is built. Nothing else
/// goes into it: memory size, processors and kernel do not (but for a monitor that measures the hand-off blocks, see
/// MrtdVariant).
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
    /// <param name="firmware">The firmware.</param>
    /// <param name="variant">What the monitor adds and measures.</param>
    /// <param name="handOffBlocks">The list in the TD_HOB section with its end block; counts for GceMeasureAll only.</param>
    /// <exception cref="Kist.Formats.OperationFailedException">The image has no TDX metadata.</exception>
    /// <exception cref="Kist.Formats.MalformedDataException">The metadata does not follow its format.</exception>
    public static HashValue Compute(OvmfImage firmware, MrtdVariant variant, ReadOnlySpan<byte> handOffBlocks = default)
    {
        var sections = firmware.ReadTdvfSections();
        if (sections.IsEmpty)
            throw LaunchNotPossible.Because("firmware", "it has no TDX metadata and cannot start a trust domain");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
        foreach (var section in sections.Where(s => IsAdded(s, variant)))
        {
            var data = section.Type == TdvfSectionType.TdHob ? handOffBlocks : firmware.Bytes.Span.Slice(section.DataOffset, section.RawDataSize);
            var measured = variant == MrtdVariant.GceMeasureAll || section.Attributes.HasFlag(TdvfSectionAttributes.MeasureContent);
            AddSection(hash, section, data, measured, variant != MrtdVariant.TwoPass);
        }

        return new HashValue(hash.GetHashAndReset());
    }

    private static bool IsAdded(TdvfSection section, MrtdVariant variant) => !section.Attributes.HasFlag(TdvfSectionAttributes.PageAugment) && variant switch
    {
        MrtdVariant.Gce => section.RawDataSize > 0 || section.Type == TdvfSectionType.TdHob,
        MrtdVariant.GceMeasureAll => section.Type != TdvfSectionType.PermanentMemory,
        _ => true,
    };

    private static void AddSection(IncrementalHash hash, TdvfSection section, ReadOnlySpan<byte> data, bool measured, bool singlePass)
    {
        for (ulong offset = 0; offset < section.MemorySize; offset += PageSize)
        {
            AddPage(hash, section.MemoryAddress + offset);
            if (measured && singlePass)
                ExtendPage(hash, section.MemoryAddress + offset, PageOf(data, offset));
        }

        for (ulong offset = 0; measured && !singlePass && offset < section.MemorySize; offset += PageSize)
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
