using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Signing.Service;

/// <summary>
/// A signing server as a signer's second step: the material goes out, signature and public key come back. The interface is that of
/// Inclavare Containers' signature server (POST /api/v1/signature/pkcs1), with a caller who is known.
/// </summary>
public sealed class RemoteSigner : IDisposable
{
    /// <summary>Where signatures are asked for.</summary>
    public const string SignaturePath = "/api/v1/signature/pkcs1";

    private const int MaxAnswerBytes = 64 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _client;

    /// <summary>Creates a client.</summary>
    /// <param name="server">The server: https.</param>
    /// <param name="serverCertificate">Its certificate, which alone is accepted; null to leave that to the system's authorities.</param>
    /// <param name="own">The caller's certificate with its key, or null.</param>
    /// <param name="token">The caller's bearer token, or null.</param>
    /// <exception cref="MalformedDataException">The address is not https.</exception>
    public RemoteSigner(Uri server, X509Certificate2? serverCertificate, X509Certificate2? own, string? token)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (server.Scheme != Uri.UriSchemeHttps)
            throw new MalformedDataException("signing server's address", -1, $"\"{server}\" is not an https address");
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        if (serverCertificate is not null)
        {
            var pinned = serverCertificate.RawData;
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is not null && CryptographicOperations.FixedTimeEquals(certificate.GetRawCertData(), pinned);
        }

        if (own is not null)
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        _client = new HttpClient(handler) { BaseAddress = server, Timeout = s_patience, MaxResponseContentBufferSize = MaxAnswerBytes };
        if (token is not null)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Has fields signed. The signature is checked before it is used.</summary>
    /// <param name="fields">What is to be signed.</param>
    /// <param name="mrSigner">The MRSIGNER that is expected; null to take the server's key whatever it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationFailedException">The server refused, could not be talked to, or signs with another key.</exception>
    public async Task<Sigstruct> SignAsync(SigstructFields fields, byte[]? mrSigner, CancellationToken cancellationToken)
    {
        var material = SigstructComposer.SigningMaterial(fields);
        var answer = await PostAsync(material, cancellationToken).ConfigureAwait(false);
        using var document = StrictJson.ParseObject(answer, MaxAnswerBytes, "signing server's answer");
        var signature = document.RootElement.TryGetProperty("signature", out var value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new MalformedDataException("signing server's answer", -1, "it has no signature");
        var pem = StrictJson.OptionalText(document.RootElement, "publicKey", "signing server's answer")
            ?? throw new MalformedDataException("signing server's answer", -1, "it has no public key");
        var sigstruct = SigstructComposer.Assemble(material, EnclaveSigningKey.ModulusFromPem(Encoding.ASCII.GetBytes(pem)), signature);
        return mrSigner is null || sigstruct.MrSigner().AsSpan().SequenceEqual(mrSigner) ? sigstruct
            : throw Failed($"it signs with another key: MRSIGNER {Convert.ToHexStringLower(sigstruct.MrSigner())}", "check the server's address and its key");
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<byte[]> PostAsync(byte[] material, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ByteArrayContent(material);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var response = await _client.PostAsync(new Uri(SignaturePath, UriKind.Relative), content, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw Failed($"status {(int)response.StatusCode}", "the server's log says why; its operator reads it");
            return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new OperationFailedException("sign enclave", _client.BaseAddress!.ToString(), e.Message, "is it the server's address and certificate?", isTransient: true, inner: e);
        }
    }

    private OperationFailedException Failed(string reason, string hint) => new("sign enclave", _client.BaseAddress!.ToString(), reason, hint);
}
