using System.Net;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Protocol.Tests;

/// <summary>A broker of a few lines in place of the network: it records what it was asked and answers as told.</summary>
sealed class FakeBroker : HttpMessageHandler
{
    public const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private JsonWebKey? _guestKey;

    public List<string> Requests { get; } = [];

    public List<AttestRequest> Attestations { get; } = [];

    public Func<HttpRequestMessage, HttpResponseMessage?> Override { get; set; } = _ => null;

    public string ExtraParams { get; set; } = "\"\"";

    public static HttpResponseMessage Error(HttpStatusCode status, string variant = "PolicyDeny", string? code = null) => Json(
        KbsJson.Write(new ErrorInformation { Type = KbsProtocol.ErrorTypePrefix + variant, Detail = "no", Code = code, CorrelationId = "c0ffee" }), status);

    public static HttpResponseMessage Json(byte[] body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new ByteArrayContent(body) };

    public HttpResponseMessage Secret(string text) => Json(JweEncryption.EncryptFlattened(Encoding.UTF8.GetBytes(text), _guestKey!));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add($"{request.Method} {request.RequestUri!.AbsolutePath}");
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (request.RequestUri.AbsolutePath == "/kbs/v0/attest")
        {
            var attest = KbsJson.Read<AttestRequest>(body, KbsProtocol.MaxAttestBytes);
            Attestations.Add(attest);
            _guestKey = JsonWebKey.Parse(attest.RuntimeData.TeePublicKey);
        }

        return Override(request) ?? request.RequestUri.AbsolutePath switch
        {
            "/kbs/v0/auth" => Challenge(),
            "/kbs/v0/attest" => Json(Encoding.UTF8.GetBytes($$"""{"token":"aa.bb.c{{Attestations.Count}}"}""")),
            var path => Secret(path),
        };
    }

    private HttpResponseMessage Challenge()
    {
        var response = Json(Encoding.UTF8.GetBytes($$"""{"nonce":"{{Nonce}}","extra-params":{{ExtraParams}}}"""));
        response.Headers.Add("Set-Cookie", "kbs-session-id=0123456789abcdef0123456789abcdef; Expires=Fri, 01 Jan 2100 00:00:00 GMT");
        return response;
    }
}

/// <summary>A TEE that says what it was asked to bind.</summary>
sealed class FakeTee : IGuestEvidenceSource
{
    public List<byte[]> Asked { get; } = [];

    public string Additional { get; set; } = "";

    public Exception? Failure { get; set; }

    public string Tee => "sample";

    public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        if (Failure is not null)
            throw Failure;
        Asked.Add(reportData.ToArray());
        return Task.FromResult<ReadOnlyMemory<byte>>(JsonSerializer.SerializeToUtf8Bytes(new { svn = "1", report_data = Convert.ToBase64String(reportData.Span) }));
    }

    public Task<string> GetAdditionalEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) => Task.FromResult(Additional);
}
