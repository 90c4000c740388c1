using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>The programs that run in the enclave: starts them, waits for them, signals them while they live.</summary>
sealed class ProgramRunner(ProgramStarter starter)
{
    private readonly ChildReaper _reaper = new();
    private readonly ConcurrentDictionary<int, bool> _alive = [];

    /// <summary>
    /// Starts a program with the given standard input, output and error, which the caller keeps open until it has started,
    /// or with a terminal.
    /// </summary>
    public (int Pid, Task<ChildExit> Exit) Start(ImmutableArray<string> args, ImmutableArray<SafeFileHandle> files, string? terminal = null)
    {
        // Copies above 2, since the numbers 0 to 2 are where they are to go.
        var named = files.Select((file, i) => (i, file)).ToDictionary(f => f.i, f => (SafeHandle)f.file);
        var pid = starter.Start(args, named, terminal);
        _alive[pid] = true;
        return (pid, WaitAsync(pid));
    }

    /// <summary>Sends a signal, unless the program has ended.</summary>
    public void Signal(int pid, int signal)
    {
        if (_alive.ContainsKey(pid))
            Signals.Send(pid, signal);
    }

    /// <summary>Kills a program, unless it has ended.</summary>
    public void Kill(int pid) => Signal(pid, Signals.Kill);

    private async Task<ChildExit> WaitAsync(int pid)
    {
        var exit = await _reaper.Adopt(pid).ConfigureAwait(false);
        _alive.TryRemove(pid, out _);
        return exit;
    }
}
