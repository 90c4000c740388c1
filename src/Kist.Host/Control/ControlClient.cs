using System.Net.Sockets;
using Kist.Formats;

namespace Kist.Host;

/// <summary>Speaks to the supervisor of a container from another kist process.</summary>
public static class ControlClient
{
    /// <summary>Sends a signal to the container's first process.</summary>
    /// <exception cref="OperationFailedException">No supervisor answers, or the agent refused.</exception>
    public static async Task SignalAsync(ContainerFolder folder, int signal, CancellationToken cancellationToken) =>
        await AskAsync(folder, new ControlRequest("signal", signal), cancellationToken).ConfigureAwait(false);

    /// <summary>Waits until the container has ended and its record says how.</summary>
    public static async Task WaitAsync(ContainerFolder folder, CancellationToken cancellationToken)
    {
        while (folder.IsSupervised())
        {
            try
            {
                await AskAsync(folder, new ControlRequest("wait"), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationFailedException)
            {
                // not listening yet, or no longer
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<ControlResponse> AskAsync(
        ContainerFolder folder, ControlRequest request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
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
        return response.Error is null
            ? response
            : throw new OperationFailedException($"{request.Operation} container", folder.Record.Name, response.Error);
    }
}
