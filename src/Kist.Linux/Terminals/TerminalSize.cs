using System.Buffers.Binary;
using Kist.Linux.Devices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Terminals;

/// <summary>A terminal's size in characters (struct winsize: rows, columns, two sizes in pixels, 16 bits each).</summary>
public readonly record struct TerminalSize(int Rows, int Columns)
{
    private const uint GetRequest = 0x5413, SetRequest = 0x5414; // TIOCGWINSZ, TIOCSWINSZ

    /// <summary>Reads a terminal's size.</summary>
    public static TerminalSize Get(SafeFileHandle terminal)
    {
        Span<byte> block = stackalloc byte[8];
        DeviceControl.Call(terminal, GetRequest, block, "read size", "terminal");
        return new(BinaryPrimitives.ReadUInt16LittleEndian(block), BinaryPrimitives.ReadUInt16LittleEndian(block[2..]));
    }

    /// <summary>Sets a terminal's size; the kernel signals SIGWINCH to its processes.</summary>
    public void Set(SafeFileHandle terminal)
    {
        Span<byte> block = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(block, checked((ushort)Rows));
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], checked((ushort)Columns));
        DeviceControl.Call(terminal, SetRequest, block, "set size", "terminal");
    }
}
