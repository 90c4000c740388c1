using Kist.Attestation;
using Kist.KeyBroker;
using Kist.KeyBroker.Protocol;

namespace Kist.Rune.Tests;

/// <summary>A real key broker that knows a bundle's simulated platform.</summary>
sealed class EnclaveBroker : IAsyncDisposable
{
    private readonly KeyBrokerServer _server;

    private EnclaveBroker(KeyBrokerServer server) => _server = server;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The address without a name: enclaves trust no resolver.</summary>
    public string Url => $"https://127.0.0.1:{_server.Endpoint.Port}";

    /// <summary>Where enclaves prove themselves by their TLS certificates, and answer a challenge on the connection.</summary>
    public string RaTlsUrl => $"https://127.0.0.1:{_server.RaTlsEndpoint!.Port}";

    public string Certificate => _server.CertificatePem;

    public static async Task<EnclaveBroker> StartAsync(RuneBundle bundle)
    {
        // The platform writes what vouches for it when it starts first.
        Assert.Equal(0, bundle.RunScript("true").ExitCode);
        var reader = new CollateralReader();
        foreach (var file in Directory.GetFiles(bundle.Collateral))
            reader.Add(await File.ReadAllBytesAsync(file, Cancel));
        var options = new KeyBrokerOptions { StateDirectory = Path.Combine(bundle.Path, "broker"), AllowSimulated = true, RaTlsPort = 0, RaTlsChallenge = true };
        return new EnclaveBroker(await KeyBrokerServer.StartAsync(
            options with
            {
                Anchors = options.Anchors.With(TrustAnchorJson.Parse(await File.ReadAllBytesAsync(Path.Combine(bundle.Collateral, "trust-anchor.json"), Cancel))),
                Collateral = reader.Build(TimeProvider.System.GetUtcNow()),
            },
            Cancel));
    }

    public async Task PutAsync(string resource, byte[] secret)
    {
        using var admin = Admin();
        await admin.PutResourceAsync(ResourceUri.Parse(resource), secret, Cancel);
    }

    /// <summary>Accepts enclaves of this measurement, and no others.</summary>
    public async Task AcceptAsync(string mrEnclave)
    {
        using var admin = Admin();
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "enclave",
                Tee = "sgx",
                Claims = new Dictionary<string, IReadOnlyList<string>> { ["body.mr_enclave"] = [mrEnclave] },
                Expires = TimeProvider.System.GetUtcNow().AddYears(1),
                Source = "kist-rune measure",
            },
            Cancel);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private KeyBrokerAdminClient Admin() => new(_server.Endpoint, _server.CertificatePem, File.ReadAllText(_server.AdminTokenFile));
}
