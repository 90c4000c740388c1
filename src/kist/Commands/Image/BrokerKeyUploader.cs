using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Images;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Image;

/// <summary>Stores keys in a broker through its administration API (KBS protocol, POST /kbs/v0/resource/…).</summary>
sealed class BrokerKeyUploader : IKeyUploader, IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _broker;

    /// <param name="broker">The broker's address.</param>
    /// <param name="certificateFile">File with the certificate, or authority, that the broker must have; null for the system's authorities.</param>
    /// <param name="token">The administrator's token.</param>
    public BrokerKeyUploader(Uri broker, string? certificateFile, string token)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (certificateFile is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(certificateFile);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        _broker = broker;
        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public string Location => _broker.ToString();

    public Task UploadAsync(string keyId, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        PostAsync("upload key", "resource/" + ResourceUri.Parse(keyId).Path, new ReadOnlyMemoryContent(key), "application/octet-stream", cancellationToken);

    public Task SetResourcePolicyAsync(string policy, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("policy", Base64Url.Encode(Encoding.UTF8.GetBytes(policy)));
            writer.WriteEndObject();
        }

        return PostAsync("set resource policy", "resource-policy", new ByteArrayContent(body.ToArray()), "application/json", cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task PostAsync(string step, string path, HttpContent content, string type, CancellationToken cancellationToken)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        try
        {
            using var response = await _http.PostAsync(new Uri(_broker, "/kbs/v0/" + path), content, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw new OperationFailedException(
                    step, Location, $"the broker answered {(int)response.StatusCode}",
                    response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? "check the administrator's token" : null);
            }
        }
        catch (HttpRequestException e)
        {
            throw new OperationFailedException(step, Location, (e.InnerException ?? e).Message, "is the broker running, and is its certificate the one that was given?", inner: e);
        }
    }
}
