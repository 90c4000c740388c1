using System.Buffers.Binary;
using System.Text;

namespace Kist.Measurement.Sev;

/// <summary>SHA-256 of what is started directly: the input of the hashes table.</summary>
/// <param name="Kernel">Of the kernel as it lies on disk.</param>
/// <param name="Initrd">Of the initrd; of nothing if there is none.</param>
/// <param name="CommandLine">Of the command line with its final NUL.</param>
public sealed record KernelHashes(HashValue Kernel, HashValue Initrd, HashValue CommandLine)
{
    /// <summary>
    /// Bytes of the table:
    /// <code>
    /// 0 16 GUID 9438d606-…   16 2 size 168   then { 16 GUID, 2 size 50, 32 SHA-256 } for command line, initrd, kernel
    /// padded with zeros to a multiple of 16                                              QEMU, target/i386/sev.c
    /// </code>
    /// </summary>
    public const int TableSize = 176;

    private const int UnpaddedSize = 168;
    private const int EntrySize = 50;
    private const int PageSize = 4096;

    private static readonly Guid TableGuid = new("9438d606-4f22-4cc9-b479-a793d411fd21");
    private static readonly Guid CommandLineGuid = new("97d02dd8-bd20-4c94-aa78-e7714d36ab2a");
    private static readonly Guid InitrdGuid = new("44baf731-3a2f-4bd7-9af1-41e29169781d");
    private static readonly Guid KernelGuid = new("4de79437-abd2-427f-b835-d5b172d2045b");

    /// <summary>The hashes of these inputs.</summary>
    public static KernelHashes Of(ReadOnlySpan<byte> kernel, ReadOnlySpan<byte> initrd, string commandLine) =>
        new(HashValue.Sha256(kernel), HashValue.Sha256(initrd), HashValue.Sha256(Encoding.UTF8.GetBytes(commandLine + '\0')));

    /// <summary>The table, 176 bytes.</summary>
    public byte[] WriteTable()
    {
        var table = new byte[TableSize];
        TableGuid.TryWriteBytes(table);
        BinaryPrimitives.WriteUInt16LittleEndian(table.AsSpan(16), UnpaddedSize);
        WriteEntry(table.AsSpan(18), CommandLineGuid, CommandLine);
        WriteEntry(table.AsSpan(18 + EntrySize), InitrdGuid, Initrd);
        WriteEntry(table.AsSpan(18 + 2 * EntrySize), KernelGuid, Kernel);
        return table;
    }

    /// <summary>The page that holds the table, 4096 bytes.</summary>
    /// <param name="address">Guest-physical address of the table.</param>
    public byte[] WritePage(uint address)
    {
        var offset = (int)(address & (PageSize - 1));
        if (offset + TableSize > PageSize)
            throw LaunchNotPossible.Because("firmware", $"its hashes table at 0x{address:x} would cross a page");
        var page = new byte[PageSize];
        WriteTable().CopyTo(page, offset);
        return page;
    }

    private static void WriteEntry(Span<byte> entry, Guid guid, HashValue hash)
    {
        guid.TryWriteBytes(entry);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[16..], EntrySize);
        hash.Span.CopyTo(entry[18..]);
    }
}
