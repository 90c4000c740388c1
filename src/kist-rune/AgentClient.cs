using Kist.Enclaves.Host;
using Kist.Enclaves.Runtime;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Linux.Network;
using Microsoft.Win32.SafeHandles;

namespace Kist.Rune;

/// <summary>A connection to the enclave host of a running container.</summary>
sealed class AgentClient : IDisposable
{
    private readonly PacketSocket _socket;
    private readonly string _id;

    private AgentClient(PacketSocket socket, string id)
    {
        _socket = socket;
        _id = id;
    }

    /// <param name="container">The container.</param>
    /// <param name="patience">How long to wait for an enclave that was started a moment ago.</param>
    public static AgentClient Connect(EnclaveContainer container, TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            try
            {
                return Connect(container);
            }
            catch (OperationFailedException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(20);
            }
        }
    }

    public static AgentClient Connect(EnclaveContainer container)
    {
        var id = Path.GetFileName(container.Directory);
        try
        {
            // Containers' identifiers are long, the names of sockets must be short.
            using var share = DirectoryRoot.Open(container.Share);
            return new AgentClient(PacketSocket.Connect($"{share.ProcPath}/{HostPaths.AgentName}"), id);
        }
        catch (Kist.Linux.SystemCallException e)
        {
            throw new OperationFailedException("connect to enclave", id, e.Reason, "the container must be running", inner: e);
        }
    }

    public void Send(AgentRequest request, params ReadOnlySpan<SafeFileHandle> files) => _socket.Send(AgentMessage.Encode(request), files);

    public AgentReply Receive()
    {
        using var packet = _socket.Receive(AgentMessage.MaxSize) ?? throw new OperationFailedException("ask enclave", _id, "it ended without an answer");
        var reply = AgentMessage.DecodeReply(packet.Data);
        return reply.Error is { } error ? throw new OperationFailedException("ask enclave", _id, error) : reply;
    }

    /// <summary>The outer end of the terminal of a program that was started with one. The caller disposes it.</summary>
    public SafeFileHandle ReceiveTerminal()
    {
        using var packet = _socket.Receive(AgentMessage.MaxSize) ?? throw new OperationFailedException("ask enclave", _id, "it ended without an answer");
        var reply = AgentMessage.DecodeReply(packet.Data);
        if (reply.Error is { } error)
            throw new OperationFailedException("ask enclave", _id, error);
        return reply.Terminal == true && packet.Files is [var master]
            ? packet.Detach(master) : throw new OperationFailedException("ask enclave", _id, "it sent no terminal");
    }

    public void Dispose() => _socket.Dispose();
}
