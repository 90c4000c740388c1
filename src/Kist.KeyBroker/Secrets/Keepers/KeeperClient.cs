using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// JSON over HTTPS to a service that keeps a master key: one authority pinned if a file names it, no redirects, and limits
/// of time and size. Calls block: they are short, and master keys are used where nothing can go on without them.
/// </summary>
sealed class KeeperClient : IDisposable
{
    private const int MaxReplyBytes = 64 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly string _name;

    public KeeperClient(Uri address, string? authorityFile, string name)
    {
        if (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            throw new OperationFailedException("open the master key", address.ToString(), "keys travel over https only", "http is taken for the loopback");
        _name = name;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (authorityFile is not null)
            handler.SslOptions = Pin(authorityFile);
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Limit, MaxResponseContentBufferSize = MaxReplyBytes };
    }

    /// <summary>Sends a request, and reads what the service answers if that is a success.</summary>
    /// <param name="step">What is done, for errors.</param>
    /// <param name="request">The request; disposed here.</param>
    /// <param name="read">Reads the answer's JSON.</param>
    /// <exception cref="OperationFailedException">The service cannot be reached, or refuses.</exception>
    public T Send<T>(string step, HttpRequestMessage request, Func<JsonElement, T> read)
    {
        byte[]? content = null;
        try
        {
            using (request)
            using (var response = _http.Send(request, HttpCompletionOption.ResponseContentRead))
            using (var stream = response.Content.ReadAsStream())
            {
                content = new byte[Math.Min(stream.Length, MaxReplyBytes)];
                stream.ReadExactly(content);
                if (!response.IsSuccessStatusCode)
                    throw Refused(step, response.StatusCode, content);
                using var document = JsonDocument.Parse(content);
                return read(document.RootElement);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            throw new OperationFailedException(step, _name, e.InnerException?.Message ?? e.Message, "check the service's address, and that it runs", isTransient: true, inner: e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new OperationFailedException(step, _name, $"its answer is not what the service's protocol says: {e.Message}", inner: e);
        }
        finally
        {
            // It may hold an unwrapped key.
            CryptographicOperations.ZeroMemory(content);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>A member in base64, as bytes that are zeroed when disposed.</summary>
    public static SecretBytes SecretOf(JsonElement element, string name)
    {
        var bytes = element.GetProperty(name).GetBytesFromBase64();
        try
        {
            return SecretBytes.CopyOf(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private OperationFailedException Refused(string step, HttpStatusCode status, byte[] content)
    {
        // Neither service puts key material into an error; the text is cut all the same.
        const int most = 300;
        var text = System.Text.Encoding.UTF8.GetString(content);
        return new OperationFailedException(
            step, _name, $"the service answered {(int)status}: {(text.Length > most ? text[..most] : text).ReplaceLineEndings(" ")}",
            status is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized ? "check the broker's credential for it, and the rights that go with it" : null,
            isTransient: (int)status is 429 or >= 500);
    }

    private static SslClientAuthenticationOptions Pin(string authorityFile)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(authorityFile);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("read the authority of the key's service", authorityFile, e.Message, inner: e);
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
