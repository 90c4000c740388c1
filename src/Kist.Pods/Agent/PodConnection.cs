namespace Kist.Pods.Agent;

/// <summary>
/// A TCP connection to a program of the pod, carried by its agent: the guest needs no network for it, and the agent policy
/// says which ports may be reached.
/// </summary>
public sealed class PodConnection : IAsyncDisposable
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    private readonly PodAgentClient _agent;
    private readonly string _id;

    private PodConnection(PodAgentClient agent, string id) => (_agent, _id) = (agent, id);

    /// <summary>Connects.</summary>
    /// <exception cref="AgentCallException">The policy does not allow this port, or nothing listens there.</exception>
    public static async Task<PodConnection> OpenAsync(PodAgentClient agent, int port, CancellationToken cancellationToken = default) =>
        new(agent, await agent.OpenConnectionAsync(port, cancellationToken).ConfigureAwait(false));

    /// <summary>Carries bytes both ways until both sides have ended, or one has broken the connection.</summary>
    /// <param name="peer">The host's side.</param>
    /// <param name="endWriting">Tells the host's side that the program sends no more.</param>
    /// <param name="cancellationToken">Breaks it.</param>
    public async Task CarryAsync(Stream peer, Action endWriting, CancellationToken cancellationToken = default)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] directions = [FromGuestAsync(), ToGuestAsync()];
        var first = await Task.WhenAny(directions).ConfigureAwait(false);
        if (!first.IsCompletedSuccessfully)
            await broken.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(directions).ConfigureAwait(false);

        async Task FromGuestAsync()
        {
            for (var end = false; !end;)
            {
                var answer = await _agent.ReadConnectionAsync(_id, Wait, broken.Token).ConfigureAwait(false);
                await peer.WriteAsync(answer.Data.Memory, broken.Token).ConfigureAwait(false);
                end = answer.End;
            }

            endWriting();
        }

        async Task ToGuestAsync()
        {
            var buffer = new byte[64 << 10];
            int count;
            while ((count = await peer.ReadAsync(buffer, broken.Token).ConfigureAwait(false)) > 0)
                await _agent.WriteConnectionAsync(_id, buffer.AsMemory(0, count), broken.Token).ConfigureAwait(false);
            await _agent.CloseConnectionAsync(_id, writeOnly: true, broken.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Closes it in the guest.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _agent.CloseConnectionAsync(_id, writeOnly: false).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AgentCallException or GuestLostException or ObjectDisposedException)
        {
            // The guest has gone, and the connection with it.
        }
    }
}
