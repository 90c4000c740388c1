using Kist.Pods.Agent;
using Kist.Pods.Protocol.Agent;

namespace Kist.Host;

/// <summary>A container of a started pod.</summary>
/// <param name="Name">Its name in the pod.</param>
/// <param name="Restart">When it is started again.</param>
/// <param name="Terminal">True if it has a terminal.</param>
/// <param name="Interactive">True if its standard input may be written.</param>
/// <param name="IsSidecar">True if the pod does not wait for its end.</param>
public sealed record PodContainer(string Name, RestartRule Restart, bool Terminal, bool Interactive, bool IsSidecar = false);

/// <summary>A started pod as the supervisor sees it.</summary>
public interface IPod : IAsyncDisposable
{
    /// <summary>"simulated tdx", or the TEE's name.</summary>
    string Platform { get; }

    /// <summary>How long the steps of the start took.</summary>
    IReadOnlyList<StepTiming> Timings { get; }

    /// <summary>The containers that run, in the order in which they were started; those that had to end before are not among them.</summary>
    IReadOnlyList<PodContainer> Containers { get; }

    /// <summary>
    /// What was found wrong while the pod ran that exit codes do not say, for people: a disk that shows other blocks than the image
    /// has. Of a container it is known once its end has been waited for.
    /// </summary>
    IReadOnlyList<string> Findings { get; }

    /// <summary>Reads a process's output until it ends.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ProcessId process, OutputSource source, CancellationToken cancellationToken);

    /// <summary>Passes bytes to standard input. False if the process reads no more.</summary>
    Task<bool> WriteStdinAsync(ProcessId process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Closes standard input.</summary>
    Task CloseStdinAsync(ProcessId process, CancellationToken cancellationToken);

    /// <summary>Sends a signal to a process.</summary>
    Task SignalAsync(ProcessId process, int signal, CancellationToken cancellationToken);

    /// <summary>Tells the terminal's size.</summary>
    Task ResizeAsync(ProcessId process, int rows, int columns, CancellationToken cancellationToken);

    /// <summary>Waits for a process's end and returns its exit code.</summary>
    Task<int> WaitAsync(ProcessId process, CancellationToken cancellationToken);

    /// <summary>Runs another program in a container, if the policy allows it.</summary>
    Task ExecuteAsync(ExecProcessRequest request, CancellationToken cancellationToken);

    /// <summary>Ends an executed process if it runs, and forgets it.</summary>
    Task RemoveAsync(ProcessId process, CancellationToken cancellationToken);

    /// <summary>Starts a container that has ended anew, from its image.</summary>
    Task RestartAsync(string container, CancellationToken cancellationToken);

    /// <summary>Connects to a port on which a program of the pod listens, if the policy allows it.</summary>
    Task<IPodConnection> ConnectAsync(int port, CancellationToken cancellationToken);

    /// <summary>What is to be kept of a pod that has done its work, before it ends.</summary>
    Task FinishAsync(CancellationToken cancellationToken);
}

/// <summary>A connection to a program of the pod.</summary>
public interface IPodConnection : IAsyncDisposable
{
    /// <summary>Carries bytes both ways until both sides have ended.</summary>
    /// <param name="peer">The host's side.</param>
    /// <param name="endWriting">Tells the host's side that the program sends no more.</param>
    /// <param name="cancellationToken">Breaks it.</param>
    Task CarryAsync(Stream peer, Action endWriting, CancellationToken cancellationToken);
}

/// <summary>Starts pods. The real one boots a virtual machine; tests have another.</summary>
public interface IPodStarter
{
    /// <summary>Boots, attests, pulls and starts; returns once every program runs.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="folder">The pod's folder.</param>
    /// <param name="output">Receives what containers write that end before the pod runs.</param>
    /// <param name="progress">Hears of each step.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="Kist.Formats.OperationFailedException">A step failed; nothing is left running.</exception>
    Task<IPod> StartAsync(RunRequest request, ContainerFolder folder, Action<OutputSource, string, ReadOnlyMemory<byte>> output, IProgress<string> progress, CancellationToken cancellationToken);
}
