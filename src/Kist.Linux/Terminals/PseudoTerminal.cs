using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Kist.Linux.Devices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Terminals;

/// <summary>A new pair of terminal ends (pty(7)): the master is for whoever shows it, the other end for a program.</summary>
public sealed partial class PseudoTerminal : IDisposable
{
    private const uint LockRequest = 0x40045431, NumberRequest = 0x80045430; // TIOCSPTLCK, TIOCGPTN
    private const int ReadWrite = 2, NoControllingTerminal = 0x100, CloseOnExec = 0x80000;

    private PseudoTerminal(SafeFileHandle master, string path)
    {
        Master = master;
        Path = path;
    }

    /// <summary>The end of whoever shows the terminal.</summary>
    public SafeFileHandle Master { get; }

    /// <summary>Path of the program's end.</summary>
    public string Path { get; }

    /// <summary>Makes a pair in a devpts file system.</summary>
    /// <param name="directory">Where it is mounted, such as /dev/pts.</param>
    public static PseudoTerminal Open(string directory)
    {
        var master = open($"{directory}/ptmx", ReadWrite | NoControllingTerminal | CloseOnExec, 0);
        if (master.IsInvalid)
            throw SystemCallException.Last("open terminal", $"{directory}/ptmx");
        try
        {
            Span<byte> block = stackalloc byte[4];
            block.Clear();
            DeviceControl.Call(master, LockRequest, block, "unlock", "terminal");
            DeviceControl.Call(master, NumberRequest, block, "number", "terminal");
            var number = BinaryPrimitives.ReadInt32LittleEndian(block).ToString(CultureInfo.InvariantCulture);
            return new PseudoTerminal(master, $"{directory}/{number}");
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>Closes the master.</summary>
    public void Dispose() => Master.Dispose();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);
}
