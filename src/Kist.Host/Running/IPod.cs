namespace Kist.Host;

/// <summary>A started pod with its one container, as the supervisor sees it.</summary>
public interface IPod : IAsyncDisposable
{
    /// <summary>"simulated tdx", or the TEE's name.</summary>
    string Platform { get; }

    /// <summary>How long the steps of the start took.</summary>
    IReadOnlyList<StepTiming> Timings { get; }

    /// <summary>Reads the container's output until it ends.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(OutputSource source, CancellationToken cancellationToken);

    /// <summary>Passes bytes to standard input. False if the process reads no more.</summary>
    Task<bool> WriteStdinAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Closes standard input.</summary>
    Task CloseStdinAsync(CancellationToken cancellationToken);

    /// <summary>Sends a signal to the container's first process.</summary>
    Task SignalAsync(int signal, CancellationToken cancellationToken);

    /// <summary>Tells the terminal's size.</summary>
    Task ResizeAsync(int rows, int columns, CancellationToken cancellationToken);

    /// <summary>Waits for the program's end and returns its exit code.</summary>
    Task<int> WaitAsync(CancellationToken cancellationToken);
}

/// <summary>Starts pods. The real one boots a virtual machine; tests have another.</summary>
public interface IPodStarter
{
    /// <summary>Boots, attests, pulls and starts; returns once the program runs.</summary>
    /// <exception cref="Kist.Formats.OperationFailedException">A step failed; nothing is left running.</exception>
    Task<IPod> StartAsync(RunRequest request, ContainerFolder folder, IProgress<string> progress, CancellationToken cancellationToken);
}
