using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// Fetches secrets from a broker's RA-TLS endpoint: the client's certificate proves what it is, and the secrets come over that
/// one connection. Where the broker wants a proof made now, it is asked for and given on the same connection. Safe for concurrent use.
/// </summary>
public sealed class AttestedConnectionClient : IDisposable
{
    private const string ChallengePath = KbsProtocol.KistBasePath + "/ra-tls/challenge";
    private const string ChallengeNeeded = "challenge.needed";
    private const int MaxErrorBytes = 64 * 1024;

    private readonly BrokerTransport _transport;
    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>? _answer;
    private readonly SemaphoreSlim _gate = new(1, 1);

    /// <summary>Creates a client; nothing is sent yet.</summary>
    /// <param name="options">Which broker, and how patiently.</param>
    /// <param name="own">The RA-TLS certificate with its key; the caller keeps it.</param>
    /// <param name="answer">Makes evidence for a nonce and the certificate's key (DICE tagged evidence); null if only the certificate proves something.</param>
    /// <param name="isBroker">Judges the broker's certificate, as by its own evidence; null to compare it with the options' pin.</param>
    /// <exception cref="MalformedDataException">The address is not https, or the pin is not PEM.</exception>
    public AttestedConnectionClient(
        KeyBrokerClientOptions options, X509Certificate2 own, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>? answer, Func<X509Certificate2, bool>? isBroker = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.CertificatePem is null && isBroker is null)
            throw new MalformedDataException("key broker's certificate", -1, "neither a pin nor a way to judge it is given");
        var handler = BrokerTransport.CreateHandler(options.CertificatePem, options.Connect);
        // What was proved is proved for one connection.
        handler.MaxConnectionsPerServer = 1;
        handler.SslOptions.EnabledSslProtocols = SslProtocols.Tls13;
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        if (isBroker is not null)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 presented && isBroker(presented);
        _transport = new BrokerTransport(options.Endpoint, options.CertificatePem, allowPlainHttp: false, options.RequestTimeout, handler);
        _answer = answer;
    }

    /// <summary>Fetches a secret. The caller disposes it.</summary>
    /// <param name="uri">kbs:///repository/type/tag, or those three parts alone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KeyBrokerException">The broker refused, or could not be talked to.</exception>
    /// <exception cref="MalformedDataException">The name or an answer does not follow its format.</exception>
    public async Task<SecretBytes> GetResourceAsync(string uri, CancellationToken cancellationToken)
    {
        var resource = ResourceUri.Parse(uri);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var response = await FetchAsync(resource, cancellationToken).ConfigureAwait(false);
            if (_answer is not null && response.Status == 401 && CodeOf(response) == ChallengeNeeded)
            {
                await AnswerChallengeAsync(_answer, cancellationToken).ConfigureAwait(false);
                response = await FetchAsync(resource, cancellationToken).ConfigureAwait(false);
            }

            return response.IsSuccess ? TakeSecret(response)
                : throw BrokerTransport.Refusal(KeyBrokerStep.FetchResource, resource.ToString(), response, "the broker's operator sees the full verdict: kist audit show CORRELATION-ID");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _transport.Dispose();
        _gate.Dispose();
    }

    private Task<BrokerResponse> FetchAsync(ResourceUri resource, CancellationToken cancellationToken) => _transport.SendAsync(
        KeyBrokerStep.FetchResource, HttpMethod.Get, $"{KbsProtocol.BasePath}/resource/{resource.Path}", default, KbsProtocol.MaxResourceBytes, cancellationToken);

    private async Task AnswerChallengeAsync(Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>> answer, CancellationToken cancellationToken)
    {
        var challenge = await _transport.SendAsync(KeyBrokerStep.RequestChallenge, HttpMethod.Get, ChallengePath, default, MaxErrorBytes, cancellationToken).ConfigureAwait(false);
        if (!challenge.IsSuccess)
            throw BrokerTransport.Refusal(KeyBrokerStep.RequestChallenge, _transport.Endpoint.ToString(), challenge, null);
        var evidence = await answer(NonceOf(challenge.Content), cancellationToken).ConfigureAwait(false);
        var response = await _transport.SendAsync(
            KeyBrokerStep.Attest, HttpMethod.Post, ChallengePath, new BrokerRequest(evidence, ContentType: "application/cbor"), MaxErrorBytes, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccess)
            throw BrokerTransport.Refusal(KeyBrokerStep.Attest, _transport.Endpoint.ToString(), response, null);
    }

    /// <summary>The secret came in clear: nothing of it stays in the answer.</summary>
    private static SecretBytes TakeSecret(BrokerResponse response)
    {
        var secret = SecretBytes.CopyOf(response.Content.Span);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(response.Content).Span);
        return secret;
    }

    private static byte[] NonceOf(ReadOnlyMemory<byte> json)
    {
        using var document = StrictJson.ParseObject(json.Span, MaxErrorBytes, "challenge");
        return document.RootElement.TryGetProperty("nonce", out var nonce) && nonce.ValueKind == JsonValueKind.String && nonce.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new MalformedDataException("challenge", -1, "it has no nonce");
    }

    private static string? CodeOf(BrokerResponse response)
    {
        try
        {
            return KbsJson.Read<ErrorInformation>(response.Content.Span, MaxErrorBytes).Code;
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }
}
