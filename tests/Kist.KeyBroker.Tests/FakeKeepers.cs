using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.KeyBroker.Secrets;

namespace Kist.KeyBroker.Tests;

/// <summary>An HTTP server on the loopback that answers each request with a status and JSON.</summary>
abstract class FakeService : IDisposable
{
    private readonly HttpListener _listener;

    protected FakeService()
    {
        for (var port = Random.Shared.Next(20000, 60000); ; port++)
        {
            // One that could not start is closed by that.
            var listener = new HttpListener();
            try
            {
                listener.Prefixes.Add($"http://127.0.0.1:{port}/");
                listener.Start();
                _listener = listener;
                Address = new Uri($"http://127.0.0.1:{port}/");
                break;
            }
            catch (HttpListenerException)
            {
                // Taken: the next one.
            }
        }

        _ = ServeAsync();
    }

    public Uri Address { get; }

    protected abstract (int Status, string Json) Answer(HttpListenerRequest request, byte[] body);

    public void Dispose()
    {
        _listener.Close();
        GC.SuppressFinalize(this);
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                var (status, json) = Answer(context.Request, body.ToArray());
                var reply = Encoding.UTF8.GetBytes(json);
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/json";
                context.Response.ContentLength64 = reply.Length;
                await context.Response.OutputStream.WriteAsync(reply);
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Closed.
        }
    }
}

/// <summary>Vault's transit engine: encrypt and decrypt with a key of AES-256-GCM and associated data.</summary>
sealed class FakeTransit : FakeService
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public string Token { get; set; } = "";

    public int Status { get; set; } = 200;

    public List<(string Path, string? Namespace)> Requests { get; } = [];

    protected override (int Status, string Json) Answer(HttpListenerRequest request, byte[] body)
    {
        if (Status != 200)
            return (Status, """{"errors":["Vault is sealed"]}""");
        if (request.Headers["X-Vault-Token"] != Token)
            return (403, """{"errors":["permission denied"]}""");
        Requests.Add((request.Url!.AbsolutePath, request.Headers["X-Vault-Namespace"]));
        using var document = JsonDocument.Parse(body);
        var context = document.RootElement.GetProperty("associated_data").GetBytesFromBase64();
        if (request.Url.AbsolutePath.Contains("/encrypt/", StringComparison.Ordinal))
        {
            var box = AesGcmBox.Seal(_key, document.RootElement.GetProperty("plaintext").GetBytesFromBase64(), context);
            return (200, $$$"""{"data":{"ciphertext":"vault:v1:{{{Convert.ToBase64String(box)}}}","key_version":1}}""");
        }

        var text = document.RootElement.GetProperty("ciphertext").GetString()!;
        try
        {
            using var plaintext = text.StartsWith("vault:v1:", StringComparison.Ordinal) ? AesGcmBox.Open(_key, Convert.FromBase64String(text["vault:v1:".Length..]), context) : null;
            return plaintext is null
                ? (400, """{"errors":["invalid ciphertext: unable to decrypt"]}""")
                : (200, $$$"""{"data":{"plaintext":"{{{Convert.ToBase64String(plaintext.Span)}}}"}}""");
        }
        catch (FormatException)
        {
            return (400, """{"errors":["invalid ciphertext: could not decode base64"]}""");
        }
    }
}

/// <summary>AWS KMS: Encrypt and Decrypt, for requests whose signature this one computes, too.</summary>
sealed class FakeKms(string accessKey, string secretKey) : FakeService
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public List<string> Targets { get; } = [];

    protected override (int Status, string Json) Answer(HttpListenerRequest request, byte[] body)
    {
        var authorization = request.Headers["Authorization"]!;
        var names = authorization.Split("SignedHeaders=")[1].Split(',')[0].Split(';');
        var now = DateTimeOffset.ParseExact(request.Headers["x-amz-date"]!, "yyyyMMdd'T'HHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal);
        var expected = AwsSignature.Authorization(
            "POST", names.Select(n => (n, request.Headers[n]!)), body, new AwsCredentials(accessKey, secretKey, null), "eu-central-1", "kms", now);
        if (authorization != expected || !names.Contains("x-amz-target") || !names.Contains("content-type"))
            return (400, """{"__type":"InvalidSignatureException","message":"The request signature does not match"}""");
        var target = request.Headers["x-amz-target"]!;
        Targets.Add(target);
        using var document = JsonDocument.Parse(body);
        var context = Encoding.UTF8.GetBytes(document.RootElement.GetProperty("EncryptionContext").GetRawText());
        if (target == "TrentService.Encrypt")
        {
            var box = AesGcmBox.Seal(_key, document.RootElement.GetProperty("Plaintext").GetBytesFromBase64(), context);
            return (200, $$"""{"CiphertextBlob":"{{Convert.ToBase64String(box)}}","EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}""");
        }

        using var plaintext = AesGcmBox.Open(_key, document.RootElement.GetProperty("CiphertextBlob").GetBytesFromBase64(), context);
        return plaintext is null
            ? (400, """{"__type":"InvalidCiphertextException"}""")
            : (200, $$"""{"Plaintext":"{{Convert.ToBase64String(plaintext.Span)}}"}""");
    }
}
