using System.Collections.Concurrent;
using System.Collections.Immutable;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Linux.Isolation;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>
/// Starts the enclave's programs from a thread that has given up, for good, whatever they shall not have: user,
/// capabilities, files outside the root, system calls. A child takes on its thread's restrictions, and so does every
/// thread that it starts: it must touch nothing that may start one, such as the thread pool (a task that it completes
/// with waiting continuations does), or the enclave host's own work would be confined and wait for its own file guard.
/// </summary>
sealed class ProgramStarter
{
    private readonly EnclaveManifest _manifest;
    private readonly BlockingCollection<(ChildStart Start, Handover<int> Result)> _requests = [];
    private readonly Handover<SafeFileHandle> _listener = new();

    public ProgramStarter(EnclaveManifest manifest)
    {
        _manifest = manifest;
        new Thread(Run, 1 << 20) { IsBackground = true, Name = "starter" }.Start();
    }

    /// <summary>Waits for the listener of the file guard; fails if the thread could not be confined.</summary>
    public SafeFileHandle WaitForListener() => _listener.Take();

    /// <summary>
    /// Starts a command line of the manifest with the manifest's environment; its process identifier. Waits for the file
    /// guard, so that must run.
    /// </summary>
    public int Start(ImmutableArray<string> args, IReadOnlyDictionary<int, System.Runtime.InteropServices.SafeHandle> files, string? terminal = null)
    {
        var start = new ChildStart
        {
            Program = FindProgram(args[0]),
            Name = args[0],
            Arguments = args[1..],
            Environment = Environment(),
            Files = files,
            Terminal = terminal,
            WorkingDirectory = _manifest.Process.Cwd,
        };
        var result = new Handover<int>();
        _requests.Add((start, result));
        return result.Take();
    }

    private void Run()
    {
        try
        {
            _listener.Give(Confine());
        }
        catch (OperationFailedException e)
        {
            _listener.Fail(e);
            return;
        }

        foreach (var (start, result) in _requests.GetConsumingEnumerable())
        {
            try
            {
                result.Give(Spawner.Start(start));
            }
            catch (OperationFailedException e)
            {
                result.Fail(e);
            }
        }
    }

    private SafeFileHandle Confine()
    {
        var process = _manifest.Process;
        var capabilities = Capability.SetOf(process.Capabilities);
        Privileges.LimitBounding(capabilities);
        Privileges.SetUser(process.Uid, process.Gid, process.AdditionalGids.AsSpan());
        if (process.Uid == 0)
            Privileges.SetCapabilities(capabilities, capabilities, 0);
        Privileges.ForbidNew();
        Landlock.ConfineThread("/");
        return SystemCallPolicy.Create().InstallOnThread();
    }

    private Dictionary<string, string> Environment()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in _manifest.Process.Env)
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            environment[variable[..equals]] = variable[(equals + 1)..];
        }

        return environment;
    }

    private string FindProgram(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal))
            return name;
        var path = Environment().GetValueOrDefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists)
            ?? throw new OperationFailedException("start program", name, "it is in no directory of PATH", "check process.args of the manifest");
    }
}
