using System.Buffers.Text;
using System.Text;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// The records of a pax extended header (POSIX.1-2001, pax Interchange Format): "LENGTH KEY=VALUE\n", LENGTH counting
/// the whole record. Values are bytes. Of a doubled key the last counts, as POSIX says.
/// </summary>
sealed class PaxRecords
{
    private readonly Dictionary<string, byte[]> _values = new(StringComparer.Ordinal);
    private readonly List<KeyValuePair<byte[], byte[]>> _attributes = [];
    private readonly List<SparseRegion> _regions = [];
    private long? _sparseOffset;

    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Attributes => _attributes;

    /// <summary>Regions of GNU's sparse format 0.0, which repeats its keys.</summary>
    public IReadOnlyList<SparseRegion> Regions => _regions;

    public byte[]? Find(string key) => _values.GetValueOrDefault(key);

    public long? FindNumber(string key) =>
        Find(key) is { } value ? ParseNumber(value, key) : null;

    public void Read(ReadOnlySpan<byte> data, long offset)
    {
        while (!data.IsEmpty)
        {
            var space = data.IndexOf((byte)' ');
            if (space is < 1 or > 9 || !Utf8Parser.TryParse(data[..space], out int length, out var used) || used != space
                || length <= space + 2 || length > data.Length || data[length - 1] != '\n')
                throw new MalformedDataException("pax header", offset, "a record's length is wrong");
            Add(data[(space + 1)..(length - 1)], offset);
            data = data[length..];
            offset += length;
        }
    }

    /// <summary>Takes over the values of a global header as defaults.</summary>
    public void AddDefaults(PaxRecords global)
    {
        foreach (var (key, value) in global._values)
            _values.TryAdd(key, value);
    }

    public static long ParseNumber(ReadOnlySpan<byte> text, string key) =>
        Utf8Parser.TryParse(text, out long value, out var used) && used == text.Length && value >= 0
            ? value
            : throw new MalformedDataException("pax header", -1, $"{key} is no number");

    private void Add(ReadOnlySpan<byte> record, long offset)
    {
        var equals = record.IndexOf((byte)'=');
        if (equals <= 0)
            throw new MalformedDataException("pax header", offset, "a record has no key");
        var value = record[(equals + 1)..].ToArray();
        if (record.StartsWith("SCHILY.xattr."u8))
        {
            AddAttribute(record["SCHILY.xattr.".Length..equals].ToArray(), value, offset);
            return;
        }

        var key = Encoding.UTF8.GetString(record[..equals]);
        switch (key)
        {
            case "GNU.sparse.offset":
                _sparseOffset = ParseNumber(value, key);
                break;
            case "GNU.sparse.numbytes":
                if (_sparseOffset is not { } start || _regions.Count >= TarLimits.MaxSparseRegions)
                    throw new MalformedDataException("pax header", offset, "the sparse map is wrong or too long");
                _regions.Add(new SparseRegion(start, ParseNumber(value, key)));
                _sparseOffset = null;
                break;
            default:
                _values[key] = value;
                break;
        }
    }

    private void AddAttribute(byte[] name, byte[] value, long offset)
    {
        if (name.Length is 0 or > 255 || name.Contains((byte)0) || _attributes.Count >= TarLimits.MaxAttributes || value.Length > 65536)
            throw new MalformedDataException("pax header", offset, "an extended attribute is too long, or there are too many");
        _attributes.RemoveAll(a => a.Key.AsSpan().SequenceEqual(name));
        _attributes.Add(new(name, value));
    }
}
