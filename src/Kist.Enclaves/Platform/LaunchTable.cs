using Kist.Enclaves.Simulation;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Platform;

/// <summary>An enclave that was measured and initialised and waits for its process to enter it.</summary>
internal sealed record PendingLaunch(PeerProcess Process, SimulatedEnclave Enclave, SafeFileHandle Program, FileStatus ProgramStatus, SafeFileHandle Manifest) : IDisposable
{
    public void Dispose()
    {
        Program.Dispose();
        Manifest.Dispose();
    }
}

/// <summary>The launches that wait, by process. A process has at most one; those of ended processes are forgotten.</summary>
internal sealed class LaunchTable : IDisposable
{
    private const int MaxPending = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, PendingLaunch> _pending = [];

    /// <summary>Remembers a launch. False, and the launch is disposed, if too many wait.</summary>
    public bool Add(PendingLaunch launch)
    {
        lock (_lock)
        {
            foreach (var (id, other) in _pending.ToArray())
            {
                if (id == launch.Process.Id || PeerProcess.Find(id) != other.Process)
                    Forget(id);
            }

            if (_pending.Count < MaxPending)
                return _pending.TryAdd(launch.Process.Id, launch);
        }

        launch.Dispose();
        return false;
    }

    /// <summary>Takes the launch of a process out; null if there is none. The caller disposes it.</summary>
    public PendingLaunch? Take(int processId)
    {
        lock (_lock)
            return _pending.Remove(processId, out var launch) ? launch : null;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var id in _pending.Keys.ToArray())
                Forget(id);
        }
    }

    private void Forget(int id)
    {
        if (_pending.Remove(id, out var launch))
            launch.Dispose();
    }
}
