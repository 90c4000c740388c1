using Google.Protobuf.WellKnownTypes;
using Kist.Linux.Terminals;
using Kist.Shim.Bundles;
using Kist.Shim.Protocol;
using Kist.Shim.Streams;

namespace Kist.Shim.Tasks;

/// <summary>How a process ended.</summary>
internal sealed record TaskExitStatus(uint Code, Timestamp At);

/// <summary>A process as containerd sees it: a container's first, or an executed one.</summary>
internal sealed class TaskProcess(TaskContainer container, string execId, ProcessSpec spec, StreamPaths paths)
{
    private readonly TaskCompletionSource<TaskExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskContainer Container => container;

    /// <summary>Empty for the first process.</summary>
    public string ExecId => execId;

    public ProcessSpec Spec => spec;

    public StreamPaths Paths => paths;

    /// <summary>Null where there is nothing to carry.</summary>
    public TaskStreams? Streams { get; set; }

    public bool IsStarted { get; set; }

    /// <summary>The terminal's size as it was last asked for; null if nobody has asked.</summary>
    public TerminalSize? TerminalSize { get; set; } = spec.ConsoleSize is { Height: > 0 and <= ushort.MaxValue, Width: > 0 and <= ushort.MaxValue } size
        ? new TerminalSize((int)size.Height, (int)size.Width)
        : null;

    public bool IsPaused { get; set; }

    public Task<TaskExitStatus> Exited => _exited.Task;

    public Status Status => Exited.IsCompleted ? Status.Stopped : !IsStarted ? Status.Created : IsPaused ? Status.Paused : Status.Running;

    /// <summary>True for the caller who is first to say it.</summary>
    public bool TryEnd(TaskExitStatus exit) => _exited.TrySetResult(exit);
}
