using Kist.Enclaves.Attestation;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.KeyBroker.Protocol;

namespace Kist.Enclaves.ImageAgents;

/// <summary>The key broker that the manifest names, as this enclave asks it: by SGX evidence, on connections to its pinned certificate.</summary>
sealed class BrokerKeys : ILayerKeyProvider, IDisposable
{
    private readonly KeyBrokerClient? _client;

    public BrokerKeys(ManifestBroker? broker, IEnclaveQuoter quoter)
    {
        if (broker is not null)
        {
            _client = new KeyBrokerClient(
                new KeyBrokerClientOptions { Endpoint = new Uri(broker.Url), CertificatePem = broker.Certificate }, new SgxEvidenceSource(quoter));
        }
    }

    /// <summary>A secret. The caller disposes it.</summary>
    public Task<SecretBytes> FetchAsync(string resource, CancellationToken cancellationToken) =>
        (_client ?? throw new OperationFailedException("fetch secret", resource, "the manifest names no key broker", "annotation kist.enclave.broker"))
            .GetResourceAsync(resource, cancellationToken);

    /// <inheritdoc/>
    public async Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        using var key = await FetchAsync(keyId, cancellationToken).ConfigureAwait(false);
        return key.Span.ToArray();
    }

    public void Dispose() => _client?.Dispose();
}
