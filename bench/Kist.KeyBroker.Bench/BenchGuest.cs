using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;
using Kist.Simulator;

namespace Kist.KeyBroker.Bench;

/// <summary>
/// A guest that does as little as it can, since it shares the machine with what is measured: one key for all handshakes,
/// and one connection unless it is asked for a new one each time.
/// </summary>
sealed class BenchGuest : IDisposable
{
    private static readonly Lock Quoting = new();

    private readonly SimulatedTrustDomain? _domain;
    private readonly bool _newConnections;
    private readonly JsonWebKey _key;
    private HttpClient _http;

    /// <param name="domain">The machine whose quotes it shows; null for the protocol's sample TEE.</param>
    /// <param name="newConnections">True to connect anew for each handshake, as guests do.</param>
    public BenchGuest(SimulatedTrustDomain? domain, bool newConnections)
    {
        _domain = domain;
        _newConnections = newConnections;
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        _key = EcJsonWebKey.FromPublicKey(key, JweAlgorithms.EcdhEsA256KW);
        _http = Connect();
    }

    /// <summary>Size of the last /attest.</summary>
    public int SentBytes { get; private set; }

    /// <summary>/auth and /attest; the token.</summary>
    public async Task<string> AttestAsync()
    {
        if (_newConnections)
        {
            _http.Dispose();
            _http = Connect();
        }

        var (challenge, cookie) = await AuthAsync();
        var attest = AttestBody(challenge);
        SentBytes = attest.Length;
        using var request = new HttpRequestMessage(HttpMethod.Post, "kbs/v0/attest") { Content = new StringContent(attest, Encoding.UTF8, "application/json") };
        request.Headers.Add("Cookie", cookie);
        using var response = await _http.SendAsync(request);
        using var body = JsonDocument.Parse(await Require(response));
        return body.RootElement.GetProperty("token").GetString()!;
    }

    /// <summary>Reads a secret, without decrypting it.</summary>
    public async Task ReadAsync(string token, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"kbs/v0/resource/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _http.SendAsync(request);
        await Require(response);
    }

    public void Dispose() => _http.Dispose();

    private async Task<(string Nonce, string Cookie)> AuthAsync()
    {
        using var content = new StringContent($$"""{"version":"0.4.0","tee":"{{(_domain is null ? "sample" : "tdx")}}","extra-params":""}""", Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(new Uri("kbs/v0/auth", UriKind.Relative), content);
        using var body = JsonDocument.Parse(await Require(response));
        return (body.RootElement.GetProperty("nonce").GetString()!, response.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
    }

    private string AttestBody(string nonce)
    {
        var reportData = ReportData.ForTee(nonce, _key, "", HashAlgorithmName.SHA384);
        string evidence;
        if (_domain is null)
        {
            evidence = $$"""{"svn":"1","report_data":"{{Convert.ToBase64String(reportData)}}"}""";
        }
        else
        {
            var padded = new byte[SimulatedTrustDomain.ReportDataSize];
            reportData.CopyTo(padded, 0);
            byte[] quote;
            lock (Quoting)
                quote = _domain.Quote(padded);
            evidence = $$"""{"quote":"{{Convert.ToBase64String(quote)}}","cc_eventlog":"{{Convert.ToBase64String(_domain.EventLog.Span)}}"}""";
        }

        return $$"""{"init-data":null,"runtime-data":{"nonce":"{{nonce}}","tee-pubkey":{{_key}} },"tee-evidence":{"primary_evidence":{{evidence}},"additional_evidence":""} }""";
    }

    private static HttpClient Connect() => new(new SocketsHttpHandler
    {
        UseCookies = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    {
        BaseAddress = new Uri($"https://127.0.0.1:{BrokerProcess.Port}/"),
    };

    private static async Task<byte[]> Require(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? body : throw new InvalidOperationException($"status {(int)response.StatusCode}: {Encoding.UTF8.GetString(body)}");
    }
}
