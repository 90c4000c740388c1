using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Host;

/// <summary>Speaks to the supervisor of a pod from another kist process.</summary>
public static class ControlClient
{
    /// <summary>Sends a signal to the container's first process; of a pod, to that of each container.</summary>
    /// <exception cref="OperationFailedException">No supervisor answers, or the agent refused.</exception>
    public static async Task SignalAsync(ContainerFolder folder, int signal, CancellationToken cancellationToken)
    {
        using var connection = await AskAsync(folder, new ControlRequest("signal", signal), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the container has ended and its record says how.</summary>
    public static async Task WaitAsync(ContainerFolder folder, CancellationToken cancellationToken)
    {
        while (folder.IsSupervised())
        {
            try
            {
                using var connection = await AskAsync(folder, new ControlRequest("wait"), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationFailedException)
            {
                // not listening yet, or no longer
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs another program in a container.</summary>
    /// <param name="folder">The pod.</param>
    /// <param name="container">The container; null for the only one.</param>
    /// <param name="request">The program.</param>
    /// <param name="cancellationToken">Ends the wait for its start.</param>
    /// <exception cref="ControlException">The policy does not allow it, or there is no such program.</exception>
    public static async Task<AttachedProcess> ExecuteAsync(ContainerFolder folder, string? container, ExecRequest request, CancellationToken cancellationToken)
    {
        var connection = await AskAsync(folder, new ControlRequest("exec") { Container = container, Exec = request }, cancellationToken).ConfigureAwait(false);
        return new AttachedProcess(connection.Socket, request.Terminal, request.Interactive);
    }

    /// <summary>Joins the streams of a container's first process from now on.</summary>
    /// <exception cref="ControlException">There is no such container.</exception>
    public static async Task<AttachedProcess> AttachAsync(ContainerFolder folder, string? container, CancellationToken cancellationToken)
    {
        var connection = await AskAsync(folder, new ControlRequest("attach") { Container = container }, cancellationToken).ConfigureAwait(false);
        return new AttachedProcess(connection.Socket, connection.Response.Terminal, connection.Response.Interactive);
    }

    /// <summary>Connects to a port on which a program of the pod listens.</summary>
    /// <returns>The connection.</returns>
    /// <exception cref="ControlException">The policy does not allow this port, or nothing listens there.</exception>
    public static async Task<Socket> ConnectAsync(ContainerFolder folder, int port, CancellationToken cancellationToken) =>
        (await AskAsync(folder, new ControlRequest("connect") { Port = port }, cancellationToken).ConfigureAwait(false)).Socket;

    private static async Task<Answer> AskAsync(ContainerFolder folder, ControlRequest request, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            return new Answer(socket, await AskAsync(socket, folder, request, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<ControlResponse> AskAsync(Socket socket, ContainerFolder folder, ControlRequest request, CancellationToken cancellationToken)
    {
        ControlResponse? response;
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.ControlSocket), cancellationToken).ConfigureAwait(false);
            await LineProtocol.WriteAsync(socket, request, ControlJson.Default.ControlRequest, cancellationToken).ConfigureAwait(false);
            response = await LineProtocol.ReadAsync(socket, ControlJson.Default.ControlResponse, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new OperationFailedException(
                "speak to supervisor", folder.Record.Name, e.Message, "it may have ended: kist ps -a", isTransient: true, inner: e);
        }

        if (response is null)
            throw new OperationFailedException("speak to supervisor", folder.Record.Name, "it hung up", "it may have ended: kist ps -a");
        return response.Error is null ? response : throw new ControlException(request.Operation, folder.Record.Name, response.Error, response.Hint, response.Code);
    }

    private readonly record struct Answer(Socket Socket, ControlResponse Response) : IDisposable
    {
        public void Dispose() => Socket.Dispose();
    }
}

/// <summary>A pod's supervisor, or the agent behind it, could not do what it was asked for.</summary>
public sealed class ControlException : OperationFailedException
{
    internal ControlException(string operation, string subject, string reason, string? hint, string? code)
        : base(operation, subject, reason, hint) => Code = code;

    /// <summary>The agent's code (FailureCode); null if the supervisor itself refused.</summary>
    public string? Code { get; }
}
