using Kist.Formats;

namespace Kist.Oci;

// Sparse files, GNU tar manual, "Sparse Formats".
public sealed partial class TarReader
{
    // Old format: four regions in the header, then blocks of 21 more while the flag is set (before the data).
    private List<SparseRegion> ReadOldSparseMap(TarHeader header)
    {
        var regions = new List<SparseRegion>();
        for (var i = 0; i < 4; i++)
            AddRegion(regions, header.OldSparseRegion(i));
        var extended = header.OldSparseIsExtended;
        var block = new byte[TarHeader.Size];
        while (extended)
        {
            if (stream.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) != block.Length)
                throw Malformed("the archive ends inside a sparse map");
            _position += block.Length;
            for (var i = 0; i < 21; i++)
            {
                var field = block.AsSpan(i * 24, 24);
                AddRegion(regions, new(TarNumber.Parse(field[..12], "sparse offset", _position), TarNumber.Parse(field[12..], "sparse length", _position)));
            }

            extended = block[504] != 0;
        }

        return regions;
    }

    private List<SparseRegion>? ReadPaxSparseMap(PaxRecords pax, ref long realSize)
    {
        if (pax.FindNumber("GNU.sparse.major") is 1)
        {
            realSize = pax.FindNumber("GNU.sparse.realsize") ?? throw Malformed("a sparse file without its real size");
            return ReadMapBeforeData();
        }

        if (pax.FindNumber("GNU.sparse.size") is not { } size)
            return null;
        realSize = size;
        return pax.Find("GNU.sparse.map") is { } map ? ParseMap(map) : [.. pax.Regions];
    }

    // Format 0.1: "offset,length,offset,length,…" in the pax header.
    private List<SparseRegion> ParseMap(ReadOnlySpan<byte> map)
    {
        var regions = new List<SparseRegion>();
        long? offset = null;
        foreach (var range in map.Split((byte)','))
        {
            var number = PaxRecords.ParseNumber(map[range], "GNU.sparse.map");
            if (offset is { } start)
                AddRegion(regions, new(start, number));
            offset = offset is null ? number : null;
        }

        return offset is null ? regions : throw Malformed("a sparse map with an odd number of numbers");
    }

    // Format 1.0: the map stands before the data, decimal numbers each followed by a newline, filled up to a whole block.
    private List<SparseRegion> ReadMapBeforeData()
    {
        var buffer = new byte[TarHeader.Size];
        var filled = 0;
        var at = 0;

        long ReadNumber()
        {
            long value = 0;
            for (var digits = 0; ; digits++)
            {
                if (at == filled)
                {
                    for (filled = 0; filled < buffer.Length;)
                    {
                        var count = ReadData(buffer.AsSpan(filled));
                        if (count == 0)
                            throw Malformed("a sparse map that does not end");
                        filled += count;
                    }

                    at = 0;
                }

                var c = buffer[at++];
                if (c == '\n' && digits > 0)
                    return value;
                if (c is < (byte)'0' or > (byte)'9' || digits > 18)
                    throw Malformed("a sparse map that is no list of numbers");
                value = value * 10 + (c - '0');
            }
        }

        var total = ReadNumber();
        if (total > TarLimits.MaxSparseRegions)
            throw Malformed("a sparse map that is too long");
        var regions = new List<SparseRegion>();
        for (long i = 0; i < total; i++)
            AddRegion(regions, new(ReadNumber(), ReadNumber()));
        return regions;
    }

    private void AddRegion(List<SparseRegion> regions, SparseRegion region)
    {
        if (regions.Count >= TarLimits.MaxSparseRegions)
            throw Malformed("a sparse map that is too long");
        if (region.Length != 0)
            regions.Add(region);
    }

    private void CheckRegions(List<SparseRegion> regions, long realSize)
    {
        long end = 0, sum = 0;
        foreach (var (offset, length) in regions)
        {
            if (offset < end || length < 0 || length > realSize - offset)
                throw Malformed("a sparse map whose parts overlap or leave the file");
            end = offset + length;
            sum += length;
        }

        if (realSize > OciLimits.MaxBlobBytes || sum != _dataLeft)
            throw Malformed("a sparse map that does not fit the data");
    }
}
