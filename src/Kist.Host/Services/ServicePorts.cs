using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Kist.Host;

/// <summary>
/// The loopback ports of the development services: chosen once and then kept, since the broker's address is in init-data
/// whose digest has been registered.
/// </summary>
/// <param name="Broker">TCP port of the key broker.</param>
/// <param name="Registry">TCP port of the registry.</param>
public sealed record ServicePorts(int Broker, int Registry)
{
    /// <summary>Reads the ports, or chooses free ones and keeps them.</summary>
    public static ServicePorts LoadOrChoose(StateDirectory state)
    {
        var path = Path.Combine(state.Services, "ports.json");
        if (File.Exists(path) && JsonSerializer.Deserialize(File.ReadAllBytes(path), HostJson.Default.ServicePorts) is { } kept)
            return kept;
        var chosen = new ServicePorts(FindFree(), FindFree());
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(chosen, HostJson.Default.ServicePorts));
        return chosen;
    }

    private static int FindFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
