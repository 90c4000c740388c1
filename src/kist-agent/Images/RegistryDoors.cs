using System.Net;
using System.Net.Sockets;
using Kist.Agent.Boot;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Images;

/// <summary>
/// Ways out of the closed network. The host says at which address of it a registry's host is reached, or else it is behind
/// the door of its port. How a host is reached proves nothing of it: TLS, digests and decryption do.
/// </summary>
sealed class RegistryDoors
{
    private const int MaximumDoors = 16;

    private readonly Dictionary<string, IPAddress> _addresses = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="AgentException">An address is not one of the doors' network, or there are too many.</exception>
    public RegistryDoors(IReadOnlyList<RegistryDoor> doors)
    {
        if (doors.Count > MaximumDoors)
            throw Invalid("registry", $"more than {MaximumDoors} doors");
        foreach (var door in doors)
        {
            if (!IPAddress.TryParse(door.Address, out var address) || !GuestNetwork.IsDoor(address))
                throw Invalid(door.Authority, "its address is not one of the doors' network");
            _addresses[door.Authority] = address;
        }
    }

    /// <summary>Connects to a host by its door.</summary>
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(_addresses.GetValueOrDefault($"{host}:{port}", GuestNetwork.Door), port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"there is no door for {host}:{port}: {e.Message}", e);
        }
    }

    private static AgentException Invalid(string subject, string reason) => new(FailureCode.InvalidRequest, "open door", subject, reason);
}
