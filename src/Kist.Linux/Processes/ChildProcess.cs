using System.Globalization;

namespace Kist.Linux.Processes;

/// <summary>
/// A child that a thread of its own starts and waits for. A parent-death signal follows the thread that started the
/// child, not the process: this thread lives exactly as long as the child, so the signal comes only when this whole
/// process dies.
/// </summary>
public sealed partial class ChildProcess
{
    private const string SetPriv = "/usr/bin/setpriv", Shell = "/bin/sh";

    /// <summary>A parent that died before setpriv asked for the signal would never send it: then there is another parent.</summary>
    private const string IfTied = "test \"$PPID\" = \"$0\" && exec \"$@\"";

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<ChildExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _reaped;

    private ChildProcess()
    {
    }

    /// <summary>Its process identifier.</summary>
    public int Id { get; private set; }

    /// <summary>Completes when it has ended.</summary>
    public Task<ChildExit> Exited => _exited.Task;

    /// <summary>Starts a child that the kernel kills when this process dies for whatever reason.</summary>
    public static ChildProcess StartTied(ChildStart start) => Start(new ChildStart
    {
        Program = SetPriv,
        Arguments =
        [
            "--pdeathsig", "KILL", "--", Shell, "-c", IfTied, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), start.Program, .. start.Arguments,
        ],
        Environment = start.Environment,
        Files = start.Files,
    });

    /// <summary>Starts a child.</summary>
    public static ChildProcess Start(ChildStart start)
    {
        var child = new ChildProcess();
        var started = new TaskCompletionSource();
        new Thread(() => child.Run(start, started), 128 << 10) { IsBackground = true, Name = $"child {Path.GetFileName(start.Program)}" }.Start();
        started.Task.GetAwaiter().GetResult();
        return child;
    }

    /// <summary>Sends a signal, unless the child has ended: its number may by then be another's.</summary>
    public void Signal(int signal)
    {
        lock (_lock)
        {
            if (!_reaped)
                Signals.Send(Id, signal);
        }
    }

    private void Run(ChildStart start, TaskCompletionSource started)
    {
        try
        {
            Id = Spawner.Start(start);
        }
        catch (Exception e) when (e is SystemCallException or ArgumentException)
        {
            started.SetException(e);
            return;
        }

        started.SetResult();
        ProcessWait.UntilExited(Id);
        lock (_lock)
        {
            _reaped = true;
            _exited.SetResult(ProcessWait.ForChild(Id));
        }
    }
}
