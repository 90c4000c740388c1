using System.Text;
using Kist.Agent.GuestServices;
using Kist.Agent.Tee;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.KeyBroker.Protocol;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Images;

/// <summary>Fetches image keys from the one broker that init-data names, and remembers what the broker said.</summary>
sealed class BrokerKeys : ILayerKeyProvider, ISecretSource, IDisposable
{
    private readonly KeyBrokerClient? _client;
    private readonly ITee? _tee;
    private readonly ProgressLog _progress;
    private readonly Lock _lock = new();
    private string _token = "", _refusal = "";

    public BrokerKeys(GuestConfiguration configuration, InitDataToml? initData, ITee? tee, ProgressLog progress)
    {
        _tee = tee;
        _progress = progress;
        if (configuration.BrokerUrl is not { } url || tee is null)
            return;
        _client = new KeyBrokerClient(
            new KeyBrokerClientOptions
            {
                Endpoint = url,
                CertificatePem = configuration.BrokerCertificatePem,
                InitData = initData is null ? null : new InitDataMessage { Format = "toml", Body = Encoding.UTF8.GetString(initData.Document.Span) },
            },
            new TimedEvidence(tee, progress));
    }

    public async Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        using var key = await GetResourceAsync(keyId, cancellationToken);
        return key.Span.ToArray();
    }

    /// <summary>Fetches any secret. The caller disposes it.</summary>
    public async Task<SecretBytes> GetResourceAsync(string keyId, CancellationToken cancellationToken)
    {
        var client = Client(keyId);
        using var step = _progress.Start("key", keyId);
        try
        {
            var key = await client.GetResourceAsync(keyId, cancellationToken);
            var token = await client.GetTokenAsync(cancellationToken);
            lock (_lock)
                (_token, _refusal) = (token, "");
            step.Finish();
            return key;
        }
        catch (KeyBrokerException e) when (e.Status is not null)
        {
            lock (_lock)
                _refusal = e.Code ?? $"status {e.Status}";
            throw;
        }
    }

    /// <summary>Attests anew, with a key that the agent does not use itself.</summary>
    /// <returns>The token, and the key to which it is bound (PKCS #8, PEM).</returns>
    public Task<(string Token, string KeyPem)> GetFreshTokenAsync(CancellationToken cancellationToken) => Client("token").GetFreshTokenAsync(cancellationToken);

    private KeyBrokerClient Client(string subject) => _client ?? throw new AgentException(
        FailureCode.KeyUnavailable, "ask key broker", subject,
        _tee is null ? "this guest runs in no TEE that could prove anything" : "init-data names no key broker",
        "start the guest with init-data whose aa.toml has [token_configs.kbs] url and cert");

    public AttestationStatus Status()
    {
        lock (_lock)
        {
            return new AttestationStatus
            {
                Tee = _tee?.Tee ?? "",
                Simulated = _tee?.IsSimulated ?? false,
                Attested = _token.Length > 0,

                // Without its signature: with it, the host could show the token to others as if it were the guest.
                Token = _token[..(_token.LastIndexOf('.') + 1)],
                Refusal = _refusal,
            };
        }
    }

    public void Dispose() => _client?.Dispose();

    /// <summary>Times the TEE's part of attestation.</summary>
    private sealed class TimedEvidence(ITee tee, ProgressLog progress) : IGuestEvidenceSource
    {
        public string Tee => tee.Tee;

        public async Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
        {
            using var step = progress.Start("attest.evidence", tee.IsSimulated ? $"simulated {tee.Tee}" : tee.Tee);
            var evidence = await tee.GetEvidenceAsync(reportData, cancellationToken);
            step.Finish();
            return evidence;
        }
    }
}
