using Kist.Enclaves.Attestation;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Names;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.KeyBroker.Protocol;

namespace Kist.Enclaves.ImageAgents;

/// <summary>
/// The key broker that the manifest names, as this enclave asks it, on connections to its pinned certificate: by SGX evidence in
/// the KBS protocol, or by a certificate with such evidence (RA-TLS).
/// </summary>
sealed class BrokerKeys(ManifestBroker? broker, IEnclaveQuoter quoter, TimeProvider time) : ILayerKeyProvider, IDisposable
{
    private readonly KeyBrokerClient? _client = broker is { Protocol: null } ? new KeyBrokerClient(OptionsOf(broker), new SgxEvidenceSource(quoter)) : null;
    private readonly RaTlsIdentity? _identity = broker is { Protocol: not null } ? new RaTlsIdentity(quoter, time) : null;

    /// <summary>A secret. The caller disposes it.</summary>
    public async Task<SecretBytes> FetchAsync(string resource, CancellationToken cancellationToken)
    {
        if (_client is not null)
            return await _client.GetResourceAsync(resource, cancellationToken).ConfigureAwait(false);
        if (broker is null || _identity is null)
            throw new OperationFailedException("fetch secret", resource, "the manifest names no key broker", "annotation kist.enclave.broker");
        var certificate = await _identity.CertificateAsync(cancellationToken).ConfigureAwait(false);
        using var connection = new AttestedConnectionClient(OptionsOf(broker), certificate, _identity.EvidenceAsync);
        return await connection.GetResourceAsync(resource, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        using var key = await FetchAsync(keyId, cancellationToken).ConfigureAwait(false);
        return key.Span.ToArray();
    }

    public void Dispose()
    {
        _client?.Dispose();
        _identity?.Dispose();
    }

    private static KeyBrokerClientOptions OptionsOf(ManifestBroker broker) =>
        new() { Endpoint = new Uri(broker.Url), CertificatePem = broker.Certificate, Connect = NameResolver.ConnectFromThisRootAsync };
}
