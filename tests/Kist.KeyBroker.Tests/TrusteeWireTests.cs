using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Tests;

/// <summary>
/// The requests of a CoCo guest (protocol 0.4.0) and of kbs-client as they are on the wire: paths, header fields and JSON
/// as their serialisers write them, compact and in their order; and the answers as those clients read them.
/// </summary>
public sealed class TrusteeWireTests
{
    private const string Hashes = """{"supported-hash-algorithms":["sha256","sha384","sha512","sm3"]}""";
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string AllowAll = "package policy\n\ndefault allow = true\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KbsClient_Administration_IsAnsweredWithEmptyBodies()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var (path, type, body) in new[]
        {
            ("/kbs/v0/resource-policy", "application/json", $$"""{"policy":"{{Base64Url.Encode(Encoding.UTF8.GetBytes(AllowAll))}}"}"""),
            ("/kbs/v0/attestation-policy", "application/json", $$"""{"type":"rego","policy_id":"default_cpu","policy":"{{Base64Url.Encode("package policy\n\ntrust_claims := {\"executables\": 3, \"hardware\": 2, \"configuration\": 2}\n"u8)}}"}"""),
            ("/kbs/v0/reference-value", "application/json", $$"""{"version":"0.1.0","type":"sample","payload":"{{Convert.ToBase64String("{\"svn\":[\"1\"]}"u8)}}"}"""),
            ("/kbs/v0/resource/default/key/1", "application/octet-stream", "the secret\n"),
        })
        {
            var answer = await RawClient.SendAsync(broker, $"POST {path} HTTP/1.1\ncontent-type: {type}\nauthorization: Bearer {Administrator(broker)}\naccept: */*", Encoding.UTF8.GetBytes(body));
            Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Text}");
            Assert.Empty(answer.Body);
        }

        var ids = await RawClient.SendAsync(broker, $"GET /kbs/v0/resource-policy HTTP/1.1\nauthorization: Bearer {Administrator(broker)}\naccept: */*");
        Assert.Equal((200, "[\"resource-policy\"]"), (ids.Status, ids.Text));
        var value = await RawClient.SendAsync(broker, $"GET /kbs/v0/reference-value/svn HTTP/1.1\nauthorization: Bearer {Administrator(broker)}\naccept: */*");
        Assert.Equal((200, "[\"1\"]"), (value.Status, value.Text));
        var gone = await RawClient.SendAsync(broker, $"DELETE /kbs/v0/resource/default/key/1 HTTP/1.1\nauthorization: Bearer {Administrator(broker)}\naccept: */*");
        Assert.Equal((200, 0), (gone.Status, gone.Body.Length));
    }

    [Theory]
    [InlineData("kbs-client: the session's cookie")]
    [InlineData("guest: the token")]
    public async Task Guest_Handshake_GivesTheSecretThatItCanOpen(string credential)
    {
        await using var broker = await TestBroker.StartAsync();
        using (var admin = broker.Admin())
        {
            await admin.SetResourcePolicyAsync("", AllowAll, Token);
            await admin.PutResourceAsync(Protocol.ResourceUri.Parse("default/key/1"), "the secret"u8.ToArray(), Token);
        }

        var auth = await RawClient.SendAsync(
            broker, "POST /kbs/v0/auth HTTP/1.1\ncontent-type: application/json\naccept: */*", Encoding.UTF8.GetBytes($$"""{"version":"0.4.0","tee":"sample","extra-params":{{Hashes}}}"""));
        Assert.Equal((200, "application/json"), (auth.Status, auth.Headers["content-type"]));
        using var challenge = JsonDocument.Parse(auth.Body);
        Assert.Equal(["nonce", "extra-params"], challenge.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal("", challenge.RootElement.GetProperty("extra-params").GetString());
        var cookie = auth.Headers["set-cookie"].Split(';')[0];
        Assert.Matches(@"\Akbs-session-id=[0-9a-f]{32}\z", cookie);

        var handshake = new Handshake(cookie.Split('=')[1], challenge.RootElement.GetProperty("nonce").GetString()!, auth.Headers["set-cookie"]);
        using var readable = JsonDocument.Parse(handshake.AttestBody());
        var attest = await RawClient.SendAsync(
            broker, $"POST /kbs/v0/attest HTTP/1.1\ncontent-type: application/json\ncookie: {cookie}\naccept: */*", Encoding.UTF8.GetBytes(Compact(readable.RootElement)));
        Assert.True(attest.Status == 200, attest.Text);
        Assert.StartsWith(cookie, attest.Headers["set-cookie"], StringComparison.Ordinal);
        using var answer = JsonDocument.Parse(attest.Body);
        var token = Assert.Single(answer.RootElement.EnumerateObject());
        Assert.Equal("token", token.Name);

        var proof = credential.StartsWith("guest", StringComparison.Ordinal) ? $"authorization: Bearer {token.Value.GetString()}" : $"cookie: {cookie}";
        var resource = await RawClient.SendAsync(broker, $"GET /kbs/v0/resource/default/key/1 HTTP/1.1\n{proof}\naccept: */*");
        Assert.Equal((200, "application/json"), (resource.Status, resource.Headers["content-type"]));
        using var jwe = JsonDocument.Parse(resource.Body);
        Assert.Equal(["protected", "encrypted_key", "iv", "ciphertext", "tag"], jwe.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(AadOfTheGuest(jwe.RootElement.GetProperty("protected").GetString()!), jwe.RootElement.GetProperty("protected").GetString());
        using var secret = JweMessage.Parse(resource.Body).Decrypt(handshake.Key);
        Assert.Equal("the secret", Encoding.UTF8.GetString(secret.Span));
    }

    [Theory]
    [InlineData("GET /kbs/v0/resource/default/key/1 HTTP/1.1\naccept: */*", 401, "TokenNotFound")]
    [InlineData("GET /kbs/v0/resource/default/key HTTP/1.1\naccept: */*", 404, "InvalidRequestPath")]
    [InlineData("GET /kbs/v0/sample/x HTTP/1.1\naccept: */*", 404, "PluginNotFound")]
    [InlineData("GET /kbs/v0/resource-policy HTTP/1.1\nauthorization: Bearer wrong\naccept: */*", 401, "AdminAuthAccess")]
    [InlineData("DELETE /kbs/v0/resource/default/key/1 HTTP/1.1\naccept: */*", 401, "AdminAuthAccess")]
    public async Task Refusals_OfEachKind_AreErrorInformation(string head, int status, string variant)
    {
        await using var broker = await TestBroker.StartAsync();
        var answer = await RawClient.SendAsync(broker, head);
        using var error = JsonDocument.Parse(answer.Body);
        Assert.Equal(
            (status, $"https://github.com/confidential-containers/kbs/errors/{variant}"), (answer.Status, error.RootElement.GetProperty("type").GetString()));
        Assert.NotEmpty(error.RootElement.GetProperty("detail").GetString()!);
    }

    /// <summary>The guest decodes the header into a structure and writes it again: alg, enc, then the others by name.</summary>
    private static string AadOfTheGuest(string protectedHeader)
    {
        using var header = JsonDocument.Parse(Base64Url.Decode(protectedHeader, 4096, "header"));
        var root = header.RootElement;
        var epk = root.GetProperty("epk");
        var members = string.Join(',', epk.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => $"\"{p.Name}\":\"{p.Value.GetString()}\""));
        var written = "{\"alg\":\"" + root.GetProperty("alg").GetString() + "\",\"enc\":\"" + root.GetProperty("enc").GetString() + "\",\"epk\":{" + members + "}}";
        return Base64Url.Encode(Encoding.UTF8.GetBytes(written));
    }

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element, s_compact);

    private static string Administrator(TestBroker broker) => File.ReadAllText(broker.Server.AdminTokenFile).Trim();
}
