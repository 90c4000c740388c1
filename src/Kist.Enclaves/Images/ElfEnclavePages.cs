using System.Buffers.Binary;
using System.Collections;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Images;

/// <summary>The pages of an Intel SDK enclave in the order in which the SDK's loader adds them.</summary>
/// <param name="file">The file with its patches applied.</param>
/// <param name="elf">Its headers.</param>
/// <param name="metadata">Its metadata.</param>
internal sealed class ElfEnclavePages(byte[] file, ElfFile elf, EnclaveMetadata metadata) : IEnumerable<EnclavePage>
{
    private const string Name = "ELF enclave";
    private const ulong PageSize = EnclaveImage.PageSize;
    private const uint MaxGroupTimes = 4096;

    private readonly RelocationPages _relocations = RelocationPages.Of(file, elf);

    public IEnumerator<EnclavePage> GetEnumerator()
    {
        foreach (var page in SegmentPages())
            yield return Checked(page);
        foreach (var page in LayoutPages(0, metadata.Layout.Length, 0))
            yield return Checked(page);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private EnclavePage Checked(EnclavePage page)
    {
        if (page.Offset % PageSize != 0 || page.Offset >= metadata.EnclaveSize)
            throw new MalformedDataException(Name, -1, $"a page at 0x{page.Offset:x} lies outside the enclave");
        if ((page.SecInfoFlags & ~0xff07ul) != 0 || (page.SecInfoFlags & 0xff00) is not (0x100 or 0x200))
            throw new MalformedDataException(Name, -1, $"a page with SECINFO.FLAGS 0x{page.SecInfoFlags:x} cannot be added");
        return page;
    }

    private IEnumerable<EnclavePage> SegmentPages()
    {
        ElfSegment? last = null;
        foreach (var segment in elf.Segments.Where(s => s.Type == ElfFile.LoadSegment))
        {
            CheckSegment(segment);
            if (last is { } before && HasTailPage(before) && RoundUp(End(before)) < RoundDown(segment.Address))
                yield return TailPage(before);
            if (last is null || segment.Address > last.Value.Address)
                last = segment;
            foreach (var page in RegionPages(
                file.AsMemory((int)segment.Offset, (int)segment.FileSize), segment.Address, segment.MemorySize, Flags(segment), _relocations))
            {
                yield return page;
            }
        }

        if (last is { } final && HasTailPage(final))
            yield return TailPage(final);
    }

    private void CheckSegment(ElfSegment segment)
    {
        if (segment.MemorySize < segment.FileSize || segment.Address > metadata.EnclaveSize ||
            segment.MemorySize > metadata.EnclaveSize - segment.Address)
        {
            throw new MalformedDataException(Name, -1, $"a segment at 0x{segment.Address:x} does not fit the enclave");
        }

        if (Flags(segment) == 0x200)
            throw new MalformedDataException(Name, -1, $"a segment at 0x{segment.Address:x} has no permissions");
        if (segment.FileSize == 0 && segment.Address % PageSize != 0)
            throw new MalformedDataException(Name, -1, $"an empty segment at 0x{segment.Address:x} is not page aligned");
    }

    /// <summary>Initialised pages one by one, edges filled with zeros, then the pages that are zero altogether.</summary>
    private static IEnumerable<EnclavePage> RegionPages(
        ReadOnlyMemory<byte> data, ulong address, ulong virtualSize, ulong flags, RelocationPages? relocations)
    {
        ulong offset = 0;
        while (offset < (ulong)data.Length)
        {
            var inPage = (address + offset) % PageSize;
            var size = Math.Min(PageSize - inPage, (ulong)data.Length - offset);
            var chunk = data.Slice((int)offset, (int)size);
            var pageOffset = RoundDown(address + offset);
            var pageFlags = relocations?.Contains(pageOffset) == true ? flags | 2 : flags;
            yield return new EnclavePage(pageOffset, pageFlags, size == PageSize ? chunk : Padded(chunk, (int)inPage), true);
            offset += PageSize - inPage;
        }

        if (virtualSize <= offset)
            yield break;
        var end = offset + RoundUp(virtualSize - offset);
        for (; offset < end; offset += PageSize)
            yield return new EnclavePage(address + offset, flags, default, true);
    }

    private static byte[] Padded(ReadOnlyMemory<byte> chunk, int at)
    {
        var page = new byte[PageSize];
        chunk.CopyTo(page.AsMemory(at));
        return page;
    }

    private IEnumerable<EnclavePage> LayoutPages(int from, int to, ulong delta)
    {
        for (var i = from; i < to; i++)
        {
            var entry = metadata.Layout[i];
            if (!entry.IsGroup)
            {
                foreach (var page in EntryPages(entry, unchecked(entry.Offset + delta)))
                    yield return page;
                continue;
            }

            if (entry.GroupTimes > MaxGroupTimes)
                throw new MalformedDataException(Name, -1, $"a layout group is repeated {entry.GroupTimes} times, more than {MaxGroupTimes}");
            ulong step = 0;
            for (uint time = 0; time < entry.GroupTimes; time++)
            {
                step = unchecked(step + entry.GroupStep);
                var first = i - entry.GroupEntries;
                for (var inner = first; inner < i; inner++)
                {
                    if (metadata.Layout[inner].IsGroup)
                        throw new MalformedDataException(Name, -1, "a layout group repeats another group");
                }

                foreach (var page in LayoutPages(first, i, step))
                    yield return page;
            }
        }
    }

    private IEnumerable<EnclavePage> EntryPages(LayoutEntry entry, ulong offset)
    {
        if (entry.SecInfoFlags == 0 || !entry.IsAdded)
            yield break;
        if (offset > metadata.EnclaveSize || entry.PageCount > (metadata.EnclaveSize - offset) / PageSize)
            throw new MalformedDataException(Name, -1, $"{entry.Purpose} at 0x{offset:x} leaves the enclave");
        if (entry.ContentOffset != 0 && entry.SecInfoFlags != SecInfo.TcsPage)
        {
            var content = metadata.Bytes.Slice((int)entry.ContentOffset, (int)entry.ContentSize);
            foreach (var page in RegionPages(content, offset, entry.PageCount * PageSize, entry.SecInfoFlags, null))
                yield return page;
            yield break;
        }

        var fill = Fill(entry, offset);
        for (ulong i = 0; i < entry.PageCount; i++)
            yield return new EnclavePage(offset + (i * PageSize), entry.SecInfoFlags, fill, entry.IsMeasured);
    }

    private ReadOnlyMemory<byte> Fill(LayoutEntry entry, ulong offset)
    {
        if (entry.ContentOffset != 0)
        {
            var template = metadata.Bytes.Span.Slice((int)entry.ContentOffset, (int)entry.ContentSize);
            return Tcs.FromTemplate(template, offset).Memory;
        }

        if (entry.ContentSize == 0)
            return default;
        var page = new byte[PageSize];
        for (var i = 0; i < page.Length; i += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(i), entry.ContentSize);
        return page;
    }

    /// <summary>
    /// True where rounding the size of a segment that starts inside a page covers one page more than its end does: the
    /// SDK's loader adds that page too.
    /// </summary>
    private static bool HasTailPage(ElfSegment s) => RoundUp(End(s)) < RoundUp(RoundUp(s.MemorySize) + s.Address);

    private static EnclavePage TailPage(ElfSegment s) => new(RoundUp(End(s)), Flags(s), default, true);

    private static ulong End(ElfSegment s) => s.Address + s.MemorySize;

    private static ulong Flags(ElfSegment s) =>
        0x200 | ((s.Flags & 4) != 0 ? 1ul : 0) | ((s.Flags & 2) != 0 ? 2ul : 0) | ((s.Flags & 1) != 0 ? 4ul : 0);

    private static ulong RoundUp(ulong value) => (value + PageSize - 1) & ~(PageSize - 1);

    private static ulong RoundDown(ulong value) => value & ~(PageSize - 1);
}
