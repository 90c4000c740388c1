using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Tests;

/// <summary>
/// An OpenID provider with one user who is always signed in: discovery, authorization endpoint, token endpoint (which checks the
/// code, its address and the PKCE verifier, once) and key set.
/// </summary>
sealed class FakeOpenId : IDisposable
{
    public const string ClientId = "kist-console";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, Dictionary<string, string>> _codes = [];
    private readonly TimeProvider _time;
    private readonly Task _serving;

    public FakeOpenId(TimeProvider time)
    {
        _time = time;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Issuer = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(Issuer + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public string Issuer { get; }

    /// <summary>The groups that tokens say the user has, as JSON.</summary>
    public string Groups { get; set; } = "[\"ops\"]";

    /// <summary>Put into tokens in place of the request's nonce, if not null.</summary>
    public string? WrongNonce { get; set; }

    /// <summary>The secret that the client must present, or null.</summary>
    public string? Secret { get; set; }

    /// <summary>The broker's configuration for this provider.</summary>
    public string Providers(string more = "") =>
        $$"""
        {"providers": [{
          "issuer": "{{Issuer}}", "audience": "kist", "role_claim": "groups", "console": {"client_id": "{{ClientId}}", "label": "Example"{{more}}},
          "roles": [{"value": "ops", "roles": "administrator"}]
        }]}
        """;

    public void Dispose()
    {
        _listener.Abort();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _key.Dispose();
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var (status, json) = await AnswerAsync(context);
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(json));
            context.Response.Close();
        }
    }

    private async Task<(int Status, string Json)> AnswerAsync(HttpListenerContext context)
    {
        switch (context.Request.Url!.AbsolutePath)
        {
            case "/.well-known/openid-configuration":
                return (200, $$"""{"issuer":"{{Issuer}}","authorization_endpoint":"{{Issuer}}/authorize","token_endpoint":"{{Issuer}}/token","jwks_uri":"{{Issuer}}/keys"}""");
            case "/keys":
                using (var document = JsonDocument.Parse(EcJsonWebKey.FromPublicKey(_key, "ES256").ToString()))
                    return (200, $$$"""{"keys":[{"kid":"1",{{{string.Join(",", document.RootElement.EnumerateObject().Select(m => $"\"{m.Name}\":{m.Value.GetRawText()}"))}}}}]}""");
            case "/authorize":
                var request = Fields(context.Request.Url.Query);
                var code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
                _codes[code] = request;
                context.Response.RedirectLocation = $"{request["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(request["state"])}";
                return (request["response_type"] == "code" && request["client_id"] == ClientId && request["code_challenge_method"] == "S256" ? 302 : 400, "{}");
            case "/token":
                using (var reader = new StreamReader(context.Request.InputStream))
                    return Token(Fields(await reader.ReadToEndAsync()), context.Request.Headers["Authorization"]);
            default:
                return (404, "{}");
        }
    }

    private (int Status, string Json) Token(Dictionary<string, string> form, string? authorization)
    {
        if (Secret is not null && authorization != "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes($"{ClientId}:{Secret}")))
            return (401, """{"error":"invalid_client"}""");
        if (form["grant_type"] != "authorization_code" || !_codes.TryRemove(form["code"], out var request) || form["redirect_uri"] != request["redirect_uri"]
            || Base64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"]))) != request["code_challenge"])
        {
            return (400, """{"error":"invalid_grant"}""");
        }

        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        var claims = $$"""{"iss":"{{Issuer}}","sub":"alice","aud":"{{ClientId}}","iat":{{now}},"exp":{{now + 600}},"nonce":"{{WrongNonce ?? request["nonce"]}}","groups":{{Groups}}}""";
        return (200, $$"""{"access_token":"x","token_type":"Bearer","id_token":"{{JwsToken.Sign(_key, Encoding.UTF8.GetBytes(claims), w => w.WriteString("kid", "1"))}}"}""");
    }

    private static Dictionary<string, string> Fields(string form) =>
        form.TrimStart('?').Split('&').Select(f => f.Split('=', 2)).ToDictionary(f => f[0], f => Uri.UnescapeDataString(f[1].Replace('+', ' ')));
}
