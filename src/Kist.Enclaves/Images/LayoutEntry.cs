using System.Buffers.Binary;

namespace Kist.Enclaves.Images;

/// <summary>Bytes of the metadata that replace bytes of the file before it is loaded.</summary>
/// <param name="Destination">Offset in the file.</param>
/// <param name="Source">Offset in the metadata.</param>
/// <param name="Size">Bytes.</param>
internal readonly record struct MetadataPatch(ulong Destination, uint Source, uint Size);

/// <summary>
/// One entry of the layout table: pages, or a group that repeats the entries before it.
/// <code>
/// pages   0 2 id   2 2 attributes (EADD 1, EEXTEND 2)   4 4 pages   8 8 offset   16 4 content size   20 4 content offset   24 8 SECINFO.FLAGS
/// group   0 2 id | 0x1000   2 2 entries   4 4 times   8 8 step   16 16 reserved
/// </code>
/// </summary>
internal readonly record struct LayoutEntry(
    ushort Id, ushort Attributes, uint PageCount, ulong Offset, uint ContentSize, uint ContentOffset, ulong SecInfoFlags)
{
    private const ushort GroupFlag = 0x1000;
    private const ushort Added = 1;
    private const ushort Extended = 2;

    public bool IsGroup => (Id & GroupFlag) != 0;

    /// <summary>False for pages that are added only after the enclave has started.</summary>
    public bool IsAdded => (Attributes & Added) != 0;

    public bool IsMeasured => (Attributes & Extended) != 0;

    public int GroupEntries => Attributes;

    public uint GroupTimes => PageCount;

    public ulong GroupStep => Offset;

    /// <summary>The entry's purpose in the SDK's words.</summary>
    public string Purpose => (Id & ~GroupFlag) switch
    {
        1 => "heap",
        2 => "TCS",
        3 => "thread data",
        4 => "SSA",
        5 => "stack",
        6 => "thread group",
        7 => "guard",
        var other => $"entry {other}",
    };

    public static LayoutEntry Read(ReadOnlySpan<byte> entry) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(entry),
        BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]),
        BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
        BinaryPrimitives.ReadUInt64LittleEndian(entry[24..]));
}
