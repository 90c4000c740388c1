using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Terminals;

/// <summary>Puts a terminal into raw mode (every key goes through unchanged) until disposed.</summary>
public sealed partial class RawTerminal : IDisposable
{
    private const int TermiosSize = 64; // glibc's struct termios has 60 bytes
    private const int AfterOutput = 1; // TCSADRAIN

    private readonly SafeFileHandle _terminal;
    private readonly byte[] _saved = new byte[TermiosSize];
    private bool _restored;

    /// <summary>Switches <paramref name="terminal"/>, which the caller keeps open.</summary>
    public RawTerminal(SafeFileHandle terminal)
    {
        _terminal = terminal;
        SystemCallException.Check(tcgetattr(terminal, _saved), "read mode", "terminal");
        var raw = _saved.ToArray();
        cfmakeraw(raw);
        SystemCallException.Check(tcsetattr(terminal, AfterOutput, raw), "set raw mode", "terminal");
    }

    /// <summary>True if a descriptor is a terminal.</summary>
    public static bool IsTerminal(SafeFileHandle file) => isatty(file) == 1;

    /// <summary>Restores the mode found before.</summary>
    public void Dispose()
    {
        if (!_restored)
            _ = tcsetattr(_terminal, AfterOutput, _saved);
        _restored = true;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int isatty(SafeFileHandle terminal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(SafeFileHandle terminal, Span<byte> mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(SafeFileHandle terminal, int when, ReadOnlySpan<byte> mode);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(Span<byte> mode);
}
