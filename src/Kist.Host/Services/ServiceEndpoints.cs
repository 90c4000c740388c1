using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;
using Kist.KeyBroker.Protocol;

namespace Kist.Host;

/// <summary>Where the development services are, as written by the process that serves them once they answer.</summary>
public sealed record ServiceEndpoints
{
    private const string FileName = "endpoints.json";

    /// <summary>The key broker, https on loopback.</summary>
    public required Uri Broker { get; init; }

    /// <summary>The registry's authority, such as "127.0.0.1:5000"; plain http.</summary>
    public required string Registry { get; init; }

    /// <summary>The broker's certificate, PEM: the one that guests accept.</summary>
    public required string BrokerCertificate { get; init; }

    /// <summary>File with the token that administers the broker.</summary>
    public required string AdminTokenFile { get; init; }

    /// <summary>The serving process.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The broker's address as guests reach it, by the door in their closed network.</summary>
    [JsonIgnore]
    public Uri BrokerFromGuest => new($"https://{GuestNetwork.Address}:{Broker.Port}");

    /// <summary>A client with the administrator's token, which the owner of the state directory may use.</summary>
    public KeyBrokerAdminClient ConnectAsAdministrator() => new(Broker, BrokerCertificate, File.ReadAllText(AdminTokenFile).Trim());

    /// <summary>Reads the endpoints. Throws, with the remedy, if nothing serves.</summary>
    public static ServiceEndpoints Require(StateDirectory state) => TryRead(state)
        ?? throw new OperationFailedException("find services", state.Services, "the key broker and registry are not running", "start them: kist up");

    /// <summary>Reads the endpoints, or returns null if nothing serves.</summary>
    public static ServiceEndpoints? TryRead(StateDirectory state)
    {
        try
        {
            return ServiceLock.IsHeld(state)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(state.Services, FileName)), HostJson.Default.ServiceEndpoints)
                : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    internal void Publish(StateDirectory state) =>
        AtomicFile.Write(Path.Combine(state.Services, FileName), JsonSerializer.SerializeToUtf8Bytes(this, HostJson.Default.ServiceEndpoints));

    internal static void Withdraw(StateDirectory state) => File.Delete(Path.Combine(state.Services, FileName));
}
