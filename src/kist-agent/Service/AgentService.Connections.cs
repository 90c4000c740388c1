using Google.Protobuf;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Service;

/// <content>Connections of the host to programs of the pod. The policy judges the port when one is made.</content>
sealed partial class AgentService
{
    private readonly PodConnections _connections = new();

    private async Task<OpenConnectionResponse> ConnectAsync(OpenConnectionRequest request, CancellationToken cancellationToken)
    {
        guest.Policy.Require(PolicyRules.PortForward, json => json.WriteNumber("port", request.Port));
        return new OpenConnectionResponse { ConnectionId = await _connections.OpenAsync(request.Port, cancellationToken) };
    }

    private async Task<ReadConnectionResponse> ReadAsync(ReadConnectionRequest request, CancellationToken cancellationToken)
    {
        var maximum = request.MaximumBytes == 0 ? DefaultRead : (int)Math.Min(request.MaximumBytes, MaximumRead);
        var wait = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaximumWait.TotalMilliseconds));
        var (data, end) = await _connections.ReadAsync(request.ConnectionId, maximum, wait, cancellationToken);
        return new ReadConnectionResponse { Data = UnsafeByteOperations.UnsafeWrap(data), End = end };
    }

    private async Task<Empty> WriteAsync(WriteConnectionRequest request, CancellationToken cancellationToken)
    {
        await _connections.WriteAsync(request.ConnectionId, request.Data.Memory, cancellationToken);
        return new Empty();
    }

    private Empty CloseConnection(CloseConnectionRequest request)
    {
        _connections.Close(request.ConnectionId, request.WriteOnly);
        return new Empty();
    }
}
