using Kist.Formats;

namespace Kist.Host;

/// <summary>A pod that runs, with an attendant for each container.</summary>
sealed class SupervisedPod
{
    private readonly IReadOnlyList<ContainerAttendant> _attendants;

    public SupervisedPod(IPod pod, OutputLogWriter log, TimeProvider time)
    {
        Pod = pod;
        _attendants = [.. pod.Containers.Select(c => new ContainerAttendant(pod, c, log, time) { Restarted = () => Restarted?.Invoke() })];
    }

    public IPod Pod { get; }

    /// <summary>The container that has the foreground's input and size.</summary>
    public string First => Find(null).Container.Name;

    /// <summary>Hears of each container that is started again.</summary>
    public Action? Restarted { get; init; }

    /// <summary>Passes all containers' output on.</summary>
    public void Follow(Func<OutputSource, ReadOnlyMemory<byte>, Task> listen)
    {
        foreach (var attendant in _attendants)
            attendant.Output.Add(listen);
    }

    /// <summary>Runs until every container but sidecars has ended for good; the first exit code that is not 0.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = _attendants.Select(a => (a.Container.IsSidecar, Task: a.RunAsync(finished.Token))).ToList();
        try
        {
            var codes = await Task.WhenAll(running.Where(r => !r.IsSidecar).Select(r => r.Task)).ConfigureAwait(false);
            return codes.FirstOrDefault(c => c != 0);
        }
        finally
        {
            await finished.CancelAsync().ConfigureAwait(false);
            foreach (var (_, task) in running)
                await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task SignalAsync(int signal, CancellationToken cancellationToken) =>
        Task.WhenAll(_attendants.Select(a => a.SignalAsync(signal, cancellationToken)));

    public Task<ControlSession> ExecuteAsync(string? container, ExecRequest request, CancellationToken cancellationToken) =>
        ProcessSession.ExecuteAsync(Pod, Find(container).Container.Name, request, cancellationToken);

    public (PodContainer Container, ControlSession Session) Attach(string? container)
    {
        var attendant = Find(container);
        return (attendant.Container, ProcessSession.Attach(Pod, attendant));
    }

    public async Task<ControlSession> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var inPod = await Pod.ConnectAsync(port, cancellationToken).ConfigureAwait(false);
        return async (connection, token) =>
        {
            await using (inPod.ConfigureAwait(false))
            {
                var stream = new System.Net.Sockets.NetworkStream(connection, ownsSocket: false);
                await using (stream.ConfigureAwait(false))
                    await inPod.CarryAsync(stream, () => connection.Shutdown(System.Net.Sockets.SocketShutdown.Send), token).ConfigureAwait(false);
            }
        };
    }

    /// <summary>Opens ports of this machine that lead to the pod.</summary>
    /// <exception cref="OperationFailedException">One is taken.</exception>
    public OpenPorts Listen(IReadOnlyList<PublishedPort> published) =>
        OpenPorts.Start(published, port => (connection, token) => PortListener.CarryAsync(Pod, port, connection, token));


    private ContainerAttendant Find(string? name)
    {
        if (name is null)
            return _attendants.First(a => !a.Container.IsSidecar);
        return _attendants.FirstOrDefault(a => a.Container.Name == name)
            ?? throw new OperationFailedException("find container", name, $"the pod has {string.Join(", ", _attendants.Select(a => a.Container.Name))}");
    }
}
