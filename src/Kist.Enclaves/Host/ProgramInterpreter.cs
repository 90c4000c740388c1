using System.Buffers.Binary;

namespace Kist.Enclaves.Host;

/// <summary>The program that the kernel starts in place of, or along with, another.</summary>
static class ProgramInterpreter
{
    private const uint InterpreterSegment = 3;
    private const int ProgramHeaderSize = 56;

    /// <summary>The absolute path, as bytes, or null if there is none in these first bytes of a program.</summary>
    public static byte[]? Find(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("#!"u8))
            return Script(head[2..]);
        return head.StartsWith("\u007fELF"u8) && head.Length > 64 && head[4] == 2 ? Elf(head) : null;
    }

    private static byte[]? Script(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)'\n');
        line = (end < 0 ? line : line[..end]).Trim(" \t"u8);
        var blank = line.IndexOfAny((byte)' ', (byte)'\t');
        var path = blank < 0 ? line : line[..blank];
        return path is [(byte)'/', ..] ? path.ToArray() : null;
    }

    private static byte[]? Elf(ReadOnlySpan<byte> head)
    {
        var table = BinaryPrimitives.ReadUInt64LittleEndian(head[32..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(head[56..]);
        for (var i = 0; i < count; i++)
        {
            var at = table + ((ulong)i * ProgramHeaderSize);
            if (at + ProgramHeaderSize > (ulong)head.Length)
                return null;
            var header = head[(int)at..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != InterpreterSegment)
                continue;
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            var size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (size < 2 || offset > (ulong)head.Length || size > (ulong)head.Length - offset)
                return null;
            var path = head.Slice((int)offset, (int)size - 1);
            return path[0] == (byte)'/' ? path.ToArray() : null;
        }

        return null;
    }
}
