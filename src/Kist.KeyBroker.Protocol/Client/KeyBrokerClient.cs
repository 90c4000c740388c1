using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// The guest's side of the KBS protocol: attests once, keeps the token and the key to which the token is bound, and
/// fetches secrets with them. A 401 means that the token is no longer good: it attests again, up to
/// <see cref="KeyBrokerClientOptions.MaxHandshakes"/> times. A 429 or 503 means that the broker is busy: it asks again later, up to
/// <see cref="KeyBrokerClientOptions.MaxRetries"/> times. Any other refusal is final. Safe for concurrent use; one
/// handshake runs at a time.
/// </summary>
public sealed class KeyBrokerClient : IDisposable
{
    private const int MaxChallengeBytes = 64 * 1024;

    private readonly KeyBrokerClientOptions _options;
    private readonly IGuestEvidenceSource _source;
    private readonly BrokerTransport _transport;
    private readonly SemaphoreSlim _handshaking = new(1, 1);
    private Attested? _attested;

    /// <summary>Creates a client; nothing is sent yet.</summary>
    /// <param name="options">Which broker, and how patiently.</param>
    /// <param name="source">The guest's TEE.</param>
    /// <param name="handler">Replaces the network in tests; then the certificate's pin is the handler's business.</param>
    /// <exception cref="MalformedDataException">The address is not https, or the certificate is not PEM.</exception>
    public KeyBrokerClient(KeyBrokerClientOptions options, IGuestEvidenceSource source, HttpMessageHandler? handler = null)
    {
        _options = options;
        _source = source;
        _transport = new BrokerTransport(options.Endpoint, options.CertificatePem, options.AllowPlainHttp, options.RequestTimeout, handler, options.Connect);
    }

    /// <summary>Fetches a secret, attesting first if need be. The caller disposes it.</summary>
    /// <param name="uri">kbs:///repository/type/tag, or those three parts alone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyBrokerException">The broker refused, or could not be talked to.</exception>
    /// <exception cref="MalformedDataException">The name or an answer does not follow its format.</exception>
    public async Task<SecretBytes> GetResourceAsync(string uri, CancellationToken cancellationToken)
    {
        var resource = ResourceUri.Parse(uri);
        Attested? refused = null;
        var backOff = new BackOff(_options);
        for (var handshakes = 0; ;)
        {
            var (attested, isNew) = await AttestedAsync(refused, backOff, cancellationToken).ConfigureAwait(false);
            if (isNew)
                handshakes++;
            var response = await AskAsync(
                KeyBrokerStep.FetchResource, HttpMethod.Get, $"{KbsProtocol.BasePath}/resource/{resource.Path}",
                new BrokerRequest(Bearer: attested.Token), KbsProtocol.MaxResourceResponseBytes, backOff, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccess)
                return Decrypt(resource, response.Content.Span, attested.Key);
            if (response.Status != 401 || handshakes >= _options.MaxHandshakes)
                throw BrokerTransport.Refusal(KeyBrokerStep.FetchResource, resource.ToString(), response, HintFor(response.Status));
            refused = attested;
        }
    }

    /// <summary>Attests if there is no token yet, and returns the token.</summary>
    /// <exception cref="KeyBrokerException">The broker refused, or could not be talked to.</exception>
    /// <exception cref="MalformedDataException">An answer does not follow its format.</exception>
    public async Task<string> GetTokenAsync(CancellationToken cancellationToken) =>
        (await AttestedAsync(null, new BackOff(_options), cancellationToken).ConfigureAwait(false)).Attested.Token;

    /// <summary>Attests anew for somebody else: with a key of its own, which this client does not keep.</summary>
    /// <returns>The token, and the private key to which it is bound (PKCS #8, PEM).</returns>
    /// <exception cref="KeyBrokerException">The broker refused, or could not be talked to.</exception>
    /// <exception cref="MalformedDataException">An answer does not follow its format.</exception>
    public async Task<(string Token, string KeyPem)> GetFreshTokenAsync(CancellationToken cancellationToken)
    {
        using var attested = await HandshakeAsync(new BackOff(_options), cancellationToken).ConfigureAwait(false);
        return (attested.Token, attested.Key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Drops the token and its key.</summary>
    public void Dispose()
    {
        _transport.Dispose();
        _attested?.Dispose();
        _handshaking.Dispose();
    }

    private async Task<(Attested Attested, bool IsNew)> AttestedAsync(Attested? refused, BackOff backOff, CancellationToken cancellationToken)
    {
        await _handshaking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Another caller may have attested again since the token was refused.
            if (_attested is { } current && current != refused)
                return (current, false);
            _attested = await HandshakeAsync(backOff, cancellationToken).ConfigureAwait(false);
            // The old key is not disposed: a concurrent caller may be decrypting with it.
            return (_attested, true);
        }
        finally
        {
            _handshaking.Release();
        }
    }

    private async Task<Attested> HandshakeAsync(BackOff backOff, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (challenge, session) = await RequestChallengeAsync(backOff, cancellationToken).ConfigureAwait(false);
            var algorithm = ReportData.AlgorithmOf(SelectedAlgorithm(challenge))
                ?? throw new MalformedDataException("challenge", -1, "its \"selected-hash-algorithm\" is not known here");
            var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            try
            {
                var response = await AttestAsync(challenge, session, key, algorithm, backOff, cancellationToken).ConfigureAwait(false);
                if (response.IsSuccess)
                    return new Attested(ReadToken(response), key);
                // The challenge is used up, whatever became of it: a new one is asked for.
                if (response.Status != 503 || !await backOff.WaitAsync(response.RetryAfter, cancellationToken).ConfigureAwait(false))
                    throw BrokerTransport.Refusal(KeyBrokerStep.Attest, _options.Endpoint.ToString(), response, HintFor(response.Status));
                key.Dispose();
            }
            catch
            {
                key.Dispose();
                throw;
            }
        }
    }

    private async Task<BrokerResponse> AttestAsync(
        Challenge challenge, string session, ECDiffieHellman key, HashAlgorithmName algorithm, BackOff backOff, CancellationToken cancellationToken)
    {
        var publicKey = EcJsonWebKey.FromPublicKey(key, JweAlgorithms.EcdhEsA256KW);
        var (evidence, additional) = await CollectAsync(challenge.Nonce, publicKey, algorithm, cancellationToken).ConfigureAwait(false);
        var body = WriteAttestRequest(challenge.Nonce, publicKey, evidence, additional);
        return await AskAsync(
            KeyBrokerStep.Attest, HttpMethod.Post, $"{KbsProtocol.BasePath}/attest",
            new BrokerRequest(body, Session: session), KbsProtocol.MaxTokenLength + 1024, backOff, cancellationToken).ConfigureAwait(false);
    }

    private static string ReadToken(BrokerResponse response)
    {
        var token = KbsJson.Read<AttestResponse>(response.Content.Span, KbsProtocol.MaxTokenLength + 1024).Token;
        if (token.Length > KbsProtocol.MaxTokenLength || !token.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new MalformedDataException("attestation token", -1, "it is not a compact JWT");
        return token;
    }

    private async Task<(Challenge Challenge, string Session)> RequestChallengeAsync(BackOff backOff, CancellationToken cancellationToken)
    {
        using var parameters = JsonDocument.Parse("""{"supported-hash-algorithms":["sha256","sha384","sha512"]}""");
        var request = new AuthRequest { Version = KbsProtocol.Version, Tee = _source.Tee, ExtraParams = parameters.RootElement };
        var response = await AskAsync(
            KeyBrokerStep.RequestChallenge, HttpMethod.Post, $"{KbsProtocol.BasePath}/auth",
            new BrokerRequest(KbsJson.Write(request)), MaxChallengeBytes, backOff, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccess)
            throw BrokerTransport.Refusal(KeyBrokerStep.RequestChallenge, _options.Endpoint.ToString(), response, HintFor(response.Status));
        var session = response.Session
            ?? throw new MalformedDataException("challenge", -1, $"the answer sets no cookie \"{KbsProtocol.SessionCookie}\"");
        return (KbsJson.Read<Challenge>(response.Content.Span, MaxChallengeBytes), session);
    }

    /// <summary>
    /// Asks, and asks again later if the broker is busy. Not /attest after a 503: by then its session is used up. A 429 comes
    /// before a session is looked at.
    /// </summary>
    private async Task<BrokerResponse> AskAsync(
        KeyBrokerStep step, HttpMethod method, string path, BrokerRequest request, int maxResponseBytes, BackOff backOff, CancellationToken cancellationToken)
    {
        while (true)
        {
            var response = await _transport.SendAsync(step, method, path, request, maxResponseBytes, cancellationToken).ConfigureAwait(false);
            var isBusy = response.Status == 429 || (response.Status == 503 && step != KeyBrokerStep.Attest);
            if (!isBusy || !await backOff.WaitAsync(response.RetryAfter, cancellationToken).ConfigureAwait(false))
                return response;
        }
    }

    private async Task<(ReadOnlyMemory<byte> Evidence, string Additional)> CollectAsync(
        string nonce, JsonWebKey key, HashAlgorithmName algorithm, CancellationToken cancellationToken)
    {
        try
        {
            // The devices first: what they say is bound into the TEE's own evidence.
            var additional = await _source.GetAdditionalEvidenceAsync(ReportData.ForDevice(nonce, key, algorithm), cancellationToken).ConfigureAwait(false);
            var evidence = await _source.GetEvidenceAsync(ReportData.ForTee(nonce, key, additional, algorithm), cancellationToken).ConfigureAwait(false);
            return (evidence, additional);
        }
        catch (Exception e) when (e is OperationFailedException or IOException or MalformedDataException)
        {
            throw new KeyBrokerException(KeyBrokerStep.CollectEvidence, _source.Tee, e.Message, (e as OperationFailedException)?.Hint, inner: e);
        }
    }

    private byte[] WriteAttestRequest(string nonce, JsonWebKey key, ReadOnlyMemory<byte> evidence, string additional)
    {
        using var keyDocument = JsonDocument.Parse(key.ToString());
        using var evidenceDocument = StrictJson.Parse(evidence.Span, KbsProtocol.MaxAttestBytes, "evidence of this guest");
        return KbsJson.Write(new AttestRequest
        {
            InitData = _options.InitData,
            RuntimeData = new RuntimeData { Nonce = nonce, TeePublicKey = keyDocument.RootElement },
            TeeEvidence = new CompositeEvidence { PrimaryEvidence = evidenceDocument.RootElement, AdditionalEvidence = additional },
        });
    }

    private static SecretBytes Decrypt(ResourceUri resource, ReadOnlySpan<byte> jwe, ECDiffieHellman key)
    {
        try
        {
            return JweMessage.Parse(jwe).Decrypt(key);
        }
        catch (CryptographicException e)
        {
            throw new KeyBrokerException(KeyBrokerStep.DecryptResource, resource.ToString(), e.Message, inner: e);
        }
    }

    private static string? SelectedAlgorithm(Challenge challenge) =>
        challenge.ExtraParams.ValueKind == JsonValueKind.Object
            ? StrictJson.OptionalText(challenge.ExtraParams, "selected-hash-algorithm", "challenge")
            : null;

    private static string? HintFor(int status) => status switch
    {
        401 or 403 => "the broker's operator sees the full verdict: kist audit show CORRELATION-ID",
        404 => "check the secret's name, and that it was uploaded to this broker",
        429 => "the broker limits how often it is asked: wait and try again",
        _ => null,
    };

    /// <summary>A token and the key to which it is bound.</summary>
    private sealed record Attested(string Token, ECDiffieHellman Key) : IDisposable
    {
        public void Dispose() => Key.Dispose();
    }
}
