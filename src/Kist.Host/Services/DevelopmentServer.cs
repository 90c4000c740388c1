using System.Net;
using Kist.Attestation;
using Kist.Formats;
using Kist.KeyBroker;

namespace Kist.Host;

/// <summary>
/// Key broker and registry for development: on loopback, with generated keys, for guests of this installation's simulated
/// platform, which this broker and no other accepts.
/// </summary>
public sealed class DevelopmentServer(StateDirectory state, TimeProvider time)
{
    /// <summary>Serves until it is cancelled or the registry ends.</summary>
    /// <exception cref="OperationFailedException">Another process serves this state directory, or a service cannot start.</exception>
    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        using var serving = ServiceLock.TryTake(state)
            ?? throw new OperationFailedException("serve", state.Root, "another process serves this state directory already", "kist down");
        ServiceEndpoints.Withdraw(state);
        var ports = ServicePorts.LoadOrChoose(state);
        var registry = await RegistryProcess.StartAsync(state, ports.Registry, cancellationToken).ConfigureAwait(false);
        await using (registry.ConfigureAwait(false))
        {
            var broker = await StartBrokerAsync(ports.Broker, cancellationToken).ConfigureAwait(false);
            await using (broker.ConfigureAwait(false))
            {
                Publish(broker, ports);
                try
                {
                    await WaitAsync(registry, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    ServiceEndpoints.Withdraw(state);
                }
            }
        }
    }

    private async Task<KeyBrokerServer> StartBrokerAsync(int port, CancellationToken cancellationToken)
    {
        var vendor = new SimulatorStore(state).LoadOrCreateVendor();
        return await KeyBrokerServer.StartAsync(
            new KeyBrokerOptions
            {
                StateDirectory = Path.Combine(state.Services, "broker"),
                Address = IPAddress.Loopback,
                Port = port,
                CertificateNames = [GuestNetwork.Address],
                Anchors = VendorAnchors.All.With(vendor.IntelAnchor),
                Collateral = new RefreshingCollateral(vendor, time),
                AllowSimulated = true,
                Time = time,
            },
            cancellationToken).ConfigureAwait(false);
    }

    private void Publish(KeyBrokerServer broker, ServicePorts ports) => new ServiceEndpoints
    {
        Broker = broker.Endpoint,
        Registry = $"127.0.0.1:{ports.Registry}",
        BrokerCertificate = broker.CertificatePem,
        AdminTokenFile = broker.AdminTokenFile,
        ProcessId = Environment.ProcessId,
    }.Publish(state);

    private static async Task WaitAsync(RegistryProcess registry, CancellationToken cancellationToken)
    {
        try
        {
            var exit = await registry.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
            throw new OperationFailedException("serve", "registry", $"it ended with status {exit.ExitCode}");
        }
        catch (OperationCanceledException)
        {
            // asked to stop
        }
    }
}
