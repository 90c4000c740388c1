using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Protocol;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>Routes of plugins: who may ask, what policies see, what each plugin gives.</summary>
[Collection("softhsm")]
public sealed class PluginTests : IDisposable
{
    private const string Policy =
        """
        package policy

        import rego.v1

        default allow := false

        allow if {
            data.plugin == "nebula-ca"
            data["resource-path"] == ["credential"]
            data.query.name == "node1"
        }

        allow if data.plugin == "pkcs11"
        """;

    private readonly TemporaryDirectory _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sample_ByAnAdministrator_AnswersAsTrustees()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { Plugins = [new SamplePlugin()] });
        using (var refused = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/sample/anything"))
            Assert.Equal("admin.unauthenticated", (await TestBroker.ErrorOf(refused)).Code);
        using var answer = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/sample/anything", bearer: Administrator(broker));
        Assert.Equal("sample plugin response", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal("text/xml", answer.Content.Headers.ContentType!.MediaType);
        using var other = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/nebula-ca/credential", bearer: Administrator(broker));
        Assert.Equal("plugin.unknown", (await TestBroker.ErrorOf(other)).Code);
    }

    [Fact]
    public async Task NebulaCa_ForAWorkload_GivesItsCertificate()
    {
        var program = _folder["nebula-cert"];
        File.WriteAllText(program, "#!/bin/sh\nset -e\nwhile [ $# -gt 0 ]; do case \"$1\" in -out-crt) c=$2;; -out-key) k=$2;; -name) n=$2;; esac; shift; done\nprintf 'crt of %s' \"$n\" > \"$c\"\nprintf key > \"$k\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.WriteAllText(_folder["ca.crt"], "ca");
        await using var broker = await TestBroker.StartAsync(o => o with { Plugins = [new NebulaCaPlugin(_folder.Path, program)] });
        var handshake = await AttestAsync(broker);
        using (var document = JsonDocument.Parse(await OpenAsync(broker, handshake, "nebula-ca/credential?name=node1&ip=10.0.0.1/24&groups=a,b")))
            Assert.Equal(("crt of node1", "key", "ca"), (Bytes(document, "node_crt"), Bytes(document, "node_key"), Bytes(document, "ca_crt")));
        foreach (var (query, code) in new[]
        {
            ("name=node2&ip=10.0.0.1/24", "policy.denied"), ("name=node1", "request.malformed"), ("name=node1&ip=10.0.0.1/24%20-x", "request.malformed"),
            ("name=node1&ip=10.0.0.1/24&out-crt=/etc/passwd", "request.malformed"), ("name=node1&ip=10.0.0.1/24&groups=a,-b", "request.malformed"),
        })
        {
            using var response = await broker.SendAsync(HttpMethod.Get, $"/kbs/v0/nebula-ca/credential?{query}", cookie: handshake.Session);
            Assert.Equal(code, (await TestBroker.ErrorOf(response)).Code);
        }

        using (var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/nebula-ca/credential?name=node1&ip=10.0.0.1/24"))
            Assert.Equal("token.missing", (await TestBroker.ErrorOf(response)).Code);
        using (var response = await broker.SendAsync(HttpMethod.Post, "/kbs/v0/nebula-ca/credential", [], handshake.Session))
            Assert.Equal("path.unknown", (await TestBroker.ErrorOf(response)).Code);
        using var admin = broker.Admin();
        Assert.Equal(6, (await admin.SearchAuditAsync(new AuditSearch { Kind = "plugin.use" }, Token)).Count);
    }

    [Fact]
    public async Task DefaultPolicy_AllowsNoPlugin()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { Plugins = [new NebulaCaPlugin(_folder.Path)] });
        using (var admin = broker.Admin())
            await admin.RegisterReferenceSetAsync(PolicyTests.SampleSet(), Token);
        var handshake = await broker.AuthAsync();
        await broker.AttestAsync(handshake);
        using var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/nebula-ca/credential?name=node1&ip=10.0.0.1/24", cookie: handshake.Session);
        Assert.Equal("policy.denied", (await TestBroker.ErrorOf(response)).Code);
    }

    [Fact]
    public async Task Pkcs11_InSoftHsm_KeepsSecretsAndWrapsKeys()
    {
        const string library = "/usr/lib/softhsm/libsofthsm2.so";
        Assert.SkipUnless(File.Exists(library), "softhsm2 is not installed");
        Directory.CreateDirectory(_folder["tokens"]);
        File.WriteAllText(_folder["softhsm2.conf"], $"directories.tokendir = {_folder["tokens"]}\nobjectstore.backend = file\nlog.level = ERROR\n");
        SoftHsm.UseConfiguration(_folder["softhsm2.conf"]);
        SoftHsm.Run("softhsm2-util", "--init-token", "--free", "--label", "plugin", "--pin", "123456", "--so-pin", "654321");
        using (var rsa = RSA.Create(2048))
            File.WriteAllText(_folder["rsa.pem"], rsa.ExportPkcs8PrivateKeyPem());
        SoftHsm.Run("softhsm2-util", "--import", _folder["rsa.pem"], "--token", "plugin", "--label", "wrap", "--id", "01", "--pin", "123456");
        File.WriteAllText(_folder["pin"], "123456\n");
        File.SetUnixFileMode(_folder["pin"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var plugin = Pkcs11Plugin.Open($"pkcs11:token=plugin;object=wrap?module-path={library}&pin-source={_folder["pin"]}", HashAlgorithmName.SHA1);
        await using var broker = await TestBroker.StartAsync(o => o with { Plugins = [plugin] });
        var handshake = await AttestAsync(broker);
        foreach (var secret in new[] { "first", "second, which replaces it" })
        {
            using var stored = await broker.SendAsync(HttpMethod.Post, "/kbs/v0/pkcs11/resource/a/b/c", Encoding.UTF8.GetBytes(secret), bearer: Administrator(broker));
            Assert.Equal((200, ""), ((int)stored.StatusCode, await stored.Content.ReadAsStringAsync(Token)));
            Assert.Equal(secret, Encoding.UTF8.GetString(await OpenAsync(broker, handshake, "pkcs11/resource/a/b/c")));
        }

        using (var removed = await broker.SendAsync(HttpMethod.Delete, "/kbs/v0/pkcs11/resource/a/b/c", bearer: Administrator(broker)))
            Assert.Equal(200, (int)removed.StatusCode);
        using (var absent = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/pkcs11/resource/a/b/c", cookie: handshake.Session))
            Assert.Equal("resource.unknown", (await TestBroker.ErrorOf(absent)).Code);

        var key = RandomNumberGenerator.GetBytes(32);
        using var wrapped = await broker.SendAsync(HttpMethod.Post, "/kbs/v0/pkcs11/wrap-key", key, bearer: Administrator(broker));
        var bytes = await wrapped.Content.ReadAsByteArrayAsync(Token);
        Assert.Equal(256, bytes.Length);
        Assert.Equal(key, await OpenAsync(broker, handshake, "pkcs11/wrap-key", bytes));
        bytes[9] ^= 1;
        using var changed = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/pkcs11/wrap-key", bytes, handshake.Session);
        Assert.Equal("request.malformed", (await TestBroker.ErrorOf(changed)).Code);
    }

    private static async Task<Handshake> AttestAsync(TestBroker broker)
    {
        using (var admin = broker.Admin())
            await admin.SetResourcePolicyAsync("", Policy, Token);
        var handshake = await broker.AuthAsync();
        await broker.AttestAsync(handshake);
        return handshake;
    }

    private static async Task<byte[]> OpenAsync(TestBroker broker, Handshake handshake, string path, byte[]? body = null)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, $"/kbs/v0/{path}", body, handshake.Session);
        var answer = await response.Content.ReadAsByteArrayAsync(Token);
        Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(answer));
        using var opened = JweMessage.Parse(answer).Decrypt(handshake.Key);
        return opened.Span.ToArray();
    }

    private static string Bytes(JsonDocument document, string name) =>
        Encoding.UTF8.GetString([.. document.RootElement.GetProperty(name).EnumerateArray().Select(b => b.GetByte())]);

    private static string Administrator(TestBroker broker) => File.ReadAllText(broker.Server.AdminTokenFile).Trim();
}
