using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Tests;

public sealed class HandshakeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ReferenceSet SampleSet => new()
    {
        Name = "sample/1",
        Tee = "sample",
        Claims = new Dictionary<string, IReadOnlyList<string>> { ["launch_digest"] = ["abcde"], ["platform_version.major"] = ["1"] },
        Expires = TestBroker.Start.AddYears(1),
        Source = "test",
    };

    [Fact]
    public async Task GetResource_RegisteredGuest_GetsItsSecret()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet, Token);
        await admin.PutResourceAsync(ResourceUri.Parse("default/key/1"), "the secret"u8.ToArray(), Token);
        using var guest = broker.Guest();
        using var secret = await guest.GetResourceAsync("kbs:///default/key/1", Token);
        Assert.Equal("the secret", Encoding.UTF8.GetString(secret.Span));
    }

    [Fact]
    public async Task GetResource_UnregisteredGuest_IsDenied()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        using var admin = broker.Admin();
        await admin.PutResourceAsync(ResourceUri.Parse("default/key/1"), "the secret"u8.ToArray(), Token);
        using var guest = broker.Guest();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => guest.GetResourceAsync("default/key/1", Token));
        Assert.Equal((403, "policy.denied"), (error.Status, error.Code));
    }

    [Fact]
    public async Task GetResource_SimulatedNotAllowed_IsRefusedAtAttest()
    {
        await using var broker = await TestBroker.StartAsync(o => o with { AllowSimulated = false }, new PlainPolicyEngine());
        using var guest = broker.Guest();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => guest.GetResourceAsync("default/key/1", Token));
        Assert.Equal((KeyBrokerStep.Attest, 403, "evidence.refused"), (error.FailedStep, error.Status, error.Code));
        // The peer is told no more than that.
        Assert.DoesNotContain("simul", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Auth_Answer_HasNonceAndCookie()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var first = await broker.AuthAsync();
        var second = await broker.AuthAsync();
        Assert.Equal(44, first.Nonce.Length);
        Assert.Equal(32, Convert.FromBase64String(first.Nonce).Length);
        Assert.NotEqual(first.Nonce, second.Nonce);
        Assert.Equal(32, first.Session.Length);
        Assert.Contains("expires=Tue, 24 Nov 2026 12:05:00 GMT", first.SetCookie, StringComparison.Ordinal);
        Assert.Contains("httponly", first.SetCookie, StringComparison.Ordinal);
        Assert.Contains("secure", first.SetCookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"version":"0.3.0","tee":"sample","extra-params":""}""", 400, "protocol.version")]
    [InlineData("""{"version":"0.4.1","tee":"sample","extra-params":""}""", 400, "protocol.version")]
    [InlineData("""{"version":"0.4.0","tee":"sampledevice","extra-params":""}""", 400, "tee.unsupported")]
    [InlineData("""{"version":"0.4.0","tee":"tee","extra-params":""}""", 400, "tee.unsupported")]
    [InlineData("""{"version":"0.4.0","tee":"sample"}""", 400, "request.malformed")]
    [InlineData("""nonsense""", 400, "request.malformed")]
    public async Task Auth_UnfitRequest_IsRefused(string json, int status, string code)
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        using var response = await broker.PostAsync("/kbs/v0/auth", json);
        var error = await TestBroker.ErrorOf(response);
        Assert.Equal((status, code), ((int)response.StatusCode, error.Code));
        Assert.StartsWith(KbsProtocol.ErrorTypePrefix, error.Type, StringComparison.Ordinal);
        Assert.Equal(status, error.Status);
        Assert.NotNull(error.CorrelationId);
    }

    [Fact]
    public async Task Attest_Token_HasTrusteesShape()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet, Token);
        var handshake = await broker.AuthAsync();
        var token = JwsToken.Parse(await broker.AttestAsync(handshake));
        Assert.Equal("ES256", token.Algorithm);
        var jwk = token.Header.GetProperty("jwk");
        Assert.True(token.Verify(JsonWebKey.Parse(jwk)));
        using var certificate = X509CertificateLoader.LoadCertificate(
            Convert.FromBase64String(jwk.GetProperty("x5c")[0].GetString()!));
        Assert.Equal(Convert.ToHexString(certificate.GetECDsaPublicKey()!.ExportParameters(false).Q.X!), Convert.ToHexString(Base64Url.Decode(jwk.GetProperty("x").GetString(), 32, "x")));

        using var document = JsonDocument.Parse(token.Payload);
        var claims = document.RootElement;
        Assert.Equal("tag:github.com,2024:confidential-containers/Trustee", claims.GetProperty("eat_profile").GetString());
        Assert.Equal(300, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        var cpu = claims.GetProperty("submods").GetProperty("cpu0");
        Assert.Equal("affirming", cpu.GetProperty("ear.status").GetString());
        Assert.Equal("default", cpu.GetProperty("ear.appraisal-policy-id").GetString());
        Assert.Equal(3, cpu.GetProperty("ear.trustworthiness-vector").GetProperty("executables").GetInt32());
        var evidence = cpu.GetProperty("ear.veraison.annotated-evidence");
        Assert.Equal("abcde", evidence.GetProperty("sample").GetProperty("launch_digest").GetString());
        Assert.Equal(handshake.Nonce, evidence.GetProperty("runtime_data_claims").GetProperty("nonce").GetString());
        Assert.True(evidence.GetProperty("kist").GetProperty("simulated").GetBoolean());
    }

    [Fact]
    public async Task Attest_Twice_IsRefusedTheSecondTime()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        await broker.AttestAsync(handshake);
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        Assert.Equal((401, "session.used"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Attest_AfterAFailedVerification_NonceIsUsedUp()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using (var refused = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(reportData: new byte[48]), handshake.Session))
            Assert.Equal((403, "evidence.refused"), ((int)refused.StatusCode, (await TestBroker.ErrorOf(refused)).Code));
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        Assert.Equal("session.used", (await TestBroker.ErrorOf(response)).Code);
    }

    [Fact]
    public async Task Attest_AfterAMalformedBody_NonceIsUsedUp()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using (var refused = await broker.PostAsync("/kbs/v0/attest", "{", handshake.Session))
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        Assert.Equal("session.used", (await TestBroker.ErrorOf(response)).Code);
    }

    [Fact]
    public async Task Attest_ManyAtOnceOnOneSession_OneIsAccepted()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
            return response.StatusCode;
        }));
        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(15, statuses.Count(s => s == HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task Attest_ExpiredSession_IsRefused()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        broker.Time.Advance(TimeSpan.FromMinutes(5));
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), handshake.Session);
        Assert.Equal((401, "session.unknown"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Theory]
    [InlineData(null, "session.missing")]
    [InlineData("0123456789abcdef0123456789abcdef", "session.unknown")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF", "session.missing")]
    [InlineData("x", "session.missing")]
    public async Task Attest_NoSuchSession_IsRefused(string? session, string code)
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(), session);
        Assert.Equal((401, code), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Attest_NonceOfAnotherSession_IsRefused()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var mine = await broker.AuthAsync();
        var other = await broker.AuthAsync();
        using var response = await broker.PostAsync("/kbs/v0/attest", other.AttestBody(), mine.Session);
        Assert.Equal((401, "nonce.mismatch"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Attest_EvidenceForAnotherKey_IsRefused()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using var thief = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var honest = ReportData.ForTee(
            handshake.Nonce, EcJsonWebKey.FromPublicKey(handshake.Key, "ECDH-ES+A256KW"), "", HashAlgorithmName.SHA384);
        using var response = await broker.PostAsync(
            "/kbs/v0/attest", handshake.AttestBody(reportData: honest, publicKey: EcJsonWebKey.FromPublicKey(thief, "ECDH-ES+A256KW").ToString()), handshake.Session);
        Assert.Equal((403, "evidence.refused"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("RSA-OAEP")]
    [InlineData("RSA1_5")]
    public async Task Attest_KeyWithAnotherAlgorithm_IsRefused(string algorithm)
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using var response = await broker.PostAsync(
            "/kbs/v0/attest", handshake.AttestBody(publicKey: EcJsonWebKey.FromPublicKey(handshake.Key, algorithm).ToString()), handshake.Session);
        Assert.Equal((400, "key.unsupported"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Attest_RsaAndOtherCurves_GetTheirSecret()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        using var admin = broker.Admin();
        await admin.RegisterReferenceSetAsync(SampleSet, Token);
        await admin.PutResourceAsync(ResourceUri.Parse("a/b/c"), "s"u8.ToArray(), Token);
        using var rsa = RSA.Create(2048);
        using var p384 = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        using var p521 = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP521);
        var keys = new (JsonWebKey Public, Func<JweMessage, SecretBytes> Decrypt)[]
        {
            (RsaJsonWebKey.FromPublicKey(rsa, "RSA-OAEP-256"), m => m.Decrypt(rsa)),
            (EcJsonWebKey.FromPublicKey(p384, "ECDH-ES+A256KW"), m => m.Decrypt(p384)),
            (EcJsonWebKey.FromPublicKey(p521, "ECDH-ES+A256KW"), m => m.Decrypt(p521)),
        };
        foreach (var (publicKey, decrypt) in keys)
        {
            var handshake = await broker.AuthAsync();
            using (var attested = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(publicKey: publicKey.ToString()), handshake.Session))
                Assert.Equal(HttpStatusCode.OK, attested.StatusCode);
            // The cookie alone, as kbs-client does it.
            using var response = await broker.SendAsync(HttpMethod.Get, "/kbs/v0/resource/a/b/c", cookie: handshake.Session);
            Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
            using var secret = decrypt(JweMessage.Parse(await response.Content.ReadAsByteArrayAsync(Token)));
            Assert.Equal("s"u8.ToArray(), secret.Span.ToArray());
        }
    }

    [Theory]
    [InlineData("""{"format":"json","body":"{}"}""")]
    [InlineData("""{"format":"toml","body":"algorithm = "}""")]
    [InlineData("""{"format":"toml","body":"version = \"0.1.0\"\nalgorithm = \"md5\""}""")]
    [InlineData("""{"format":"toml","body":"algorithm = \"sha384\""}""")]
    public async Task Attest_UnfitInitData_IsRefused(string initData)
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(initData: initData), handshake.Session);
        Assert.Equal((400, "init_data.malformed"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }

    [Fact]
    public async Task Attest_InitData_ReachesThePolicyInParts()
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        var body = "algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"aa.toml\" = '''\n[token_configs.kbs]\nurl = \"https://b\"\n'''\n\"policy.rego\" = '''\npackage agent_policy\npolicy_data := {\"x\": 1}\n'''\nname = \"n\"\n";
        using var response = await broker.PostAsync(
            "/kbs/v0/attest", handshake.AttestBody(initData: $$"""{"format":"toml","body":{{JsonSerializer.Serialize(body)}}}"""), handshake.Session);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Token));
        using var claims = JsonDocument.Parse(JwsToken.Parse(answer.RootElement.GetProperty("token").GetString()!).Payload);
        var initData = claims.RootElement.GetProperty("submods").GetProperty("cpu0").GetProperty("ear.veraison.annotated-evidence").GetProperty("init_data_claims");
        Assert.Equal(
            """{"aa.toml":{"token_configs":{"kbs":{"url":"https://b"}}},"agent_policy_claims":{"x":1},"name":"n"}""", initData.GetRawText());
    }

    [Theory]
    [InlineData("{\"sample\":{}}")] // no device
    [InlineData("[]")]
    [InlineData("{")]
    public async Task Attest_UnfitAdditionalEvidence_IsRefused(string additional)
    {
        await using var broker = await TestBroker.StartAsync(engine: new PlainPolicyEngine());
        var handshake = await broker.AuthAsync();
        using var response = await broker.PostAsync("/kbs/v0/attest", handshake.AttestBody(additional: additional), handshake.Session);
        Assert.Equal((400, "evidence.malformed"), ((int)response.StatusCode, (await TestBroker.ErrorOf(response)).Code));
    }
}
