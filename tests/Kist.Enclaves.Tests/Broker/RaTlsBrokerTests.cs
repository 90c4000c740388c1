using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Tests.Attestation;
using Kist.KeyBroker;
using Kist.KeyBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Enclaves.Tests.Broker;

/// <summary>A real broker's RA-TLS endpoint, over real handshakes: one attested connection gets a secret, and nothing less does.</summary>
public sealed class RaTlsBrokerTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-ra-tls-").FullName;
    private readonly FakeTimeProvider _time = new(SimulatedQuoter.Now);
    private readonly SimulatedQuoter _quoter = new();
    private readonly RaTlsIdentity _identity;
    private KeyBrokerServer? _server;

    public RaTlsBrokerTests() => _identity = new RaTlsIdentity(_quoter, _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _identity.Dispose();
        _quoter.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task GetResource_OneMutuallyAttestedConnection_GetsTheSecretAndIsAudited()
    {
        using var brokerQuoter = new SimulatedQuoter("broker");
        using var brokerIdentity = new RaTlsIdentity(brokerQuoter, _time);
        await StartAsync(o => o with { RaTlsIdentity = brokerIdentity.CertificateAsync });
        var judged = new List<Verdict>();
        var expected = new EnclaveReference { MrEnclave = [brokerQuoter.MrEnclave] };
        using var client = new AttestedConnectionClient(
            Options() with { CertificatePem = null }, await _identity.CertificateAsync(Cancel), answer: null,
            broker =>
            {
                judged.Add(RaTlsVerifier.Verify(RaTlsEvidence.Read(broker.RawData), null, expected.Apply(brokerQuoter.Options), false));
                return judged[^1].IsAccepted;
            });
        foreach (var _ in Enumerable.Range(0, 2))
        {
            using var secret = await client.GetResourceAsync("kbs:///default/key/1", Cancel);
            Assert.Equal("s", Encoding.UTF8.GetString(secret.Span));
        }

        Assert.True(Assert.Single(judged).IsAccepted);
        using var admin = Admin();
        var attested = Assert.Single(await admin.SearchAuditAsync(new AuditSearch { Kind = "attest" }, Cancel));
        Assert.Contains("\"outcome\":\"allowed\"", attested.Entry, StringComparison.Ordinal);
        Assert.Contains("\"tee\":\"sgx\"", attested.Entry, StringComparison.Ordinal);
        Assert.Contains("\"certificate\":\"sha256:", attested.Entry, StringComparison.Ordinal);
        Assert.Equal(2, (await admin.SearchAuditAsync(new AuditSearch { Kind = "resource.read" }, Cancel)).Count);
    }

    [Fact]
    public async Task GetResource_BrokerIsNotTheExpectedOne_IsNotAsked()
    {
        await StartAsync();
        using var client = new AttestedConnectionClient(Options(), await _identity.CertificateAsync(Cancel), null, _ => false);
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("default/key/1", Cancel));
        Assert.Equal(KeyBrokerStep.Connect, error.FailedStep);
        using var admin = Admin();
        Assert.Empty(await admin.SearchAuditAsync(new AuditSearch { Kind = "attest" }, Cancel));
    }

    [Fact]
    public async Task GetResource_AnotherEnclave_IsDeniedByTheSamePolicy()
    {
        await StartAsync();
        using var other = new SimulatedQuoter("another");
        using var identity = new RaTlsIdentity(other, _time);
        await RefusedAsync(await identity.CertificateAsync(Cancel), 403, "policy.denied", null);
    }

    [Fact]
    public async Task GetResource_DebuggableEnclave_IsRefused()
    {
        await StartAsync();
        using var debug = new SimulatedQuoter(debug: true);
        using var identity = new RaTlsIdentity(debug, _time);
        await RefusedAsync(await identity.CertificateAsync(Cancel), 403, "evidence.refused", "sgx.debug");
    }

    [Fact]
    public async Task GetResource_SimulatedNotAllowed_IsRefused()
    {
        await StartAsync(o => o with { AllowSimulated = false });
        await RefusedAsync(await _identity.CertificateAsync(Cancel), 403, "evidence.refused", "sgx.simulated");
    }

    /// <summary>Whoever has seen an enclave's certificate can copy its evidence, and no more.</summary>
    [Fact]
    public async Task GetResource_EvidenceOfAnotherKey_IsRefused()
    {
        await StartAsync();
        using var attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var genuine = await _identity.CertificateAsync(Cancel);
        using var stolen = Certificate(attacker, genuine.Extensions.First(e => e.Oid!.Value == RaTlsEvidence.EvidenceOid).RawData, TimeSpan.FromHours(1));
        await RefusedAsync(stolen, 403, "evidence.refused", "ratls.key");
    }

    [Fact]
    public async Task GetResource_ClaimsExchanged_IsRefused()
    {
        await StartAsync();
        using var attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var quote = RaTlsEvidence.Read((await _identity.CertificateAsync(Cancel)).RawData).Quote;
        var claims = DiceClaims.Encode(attacker.ExportSubjectPublicKeyInfo(), null);
        using var forged = Certificate(attacker, DiceEvidence.Encode(quote.Span, claims), TimeSpan.FromHours(1));
        await RefusedAsync(forged, 403, "evidence.refused", "sgx.binding.report_data");
    }

    [Fact]
    public async Task GetResource_StaleCertificate_IsRefused()
    {
        await StartAsync();
        var old = await _identity.CertificateAsync(Cancel);
        _time.Advance(TimeSpan.FromHours(25));
        await RefusedAsync(old, 403, "evidence.refused", "ratls.certificate.validity");
    }

    [Fact]
    public async Task GetResource_CertificateThatLivesTooLong_IsRefusedWithoutAChallenge()
    {
        await StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var claims = DiceClaims.Encode(key.ExportSubjectPublicKeyInfo(), null);
        using var certificate = Certificate(key, DiceEvidence.Encode(await _quoter.QuoteAsync(SHA256.HashData(claims), Cancel), claims), TimeSpan.FromDays(30));
        await RefusedAsync(certificate, 403, "evidence.refused", "ratls.certificate.lifetime");
    }

    [Fact]
    public async Task GetResource_OrdinaryClientCertificate_IsMalformedEvidence()
    {
        await StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificate(key, null, TimeSpan.FromHours(1));
        await RefusedAsync(certificate, 400, "evidence.malformed", "does not prove itself");
    }

    [Fact]
    public async Task GetResource_ChallengeWanted_IsAnsweredOnTheSameConnection()
    {
        await StartAsync(o => o with { RaTlsChallenge = true });
        await RefusedAsync(await _identity.CertificateAsync(Cancel), 401, "challenge.needed", null);
        var answers = 0;
        using var client = new AttestedConnectionClient(Options(), await _identity.CertificateAsync(Cancel), (nonce, token) =>
        {
            answers++;
            return _identity.EvidenceAsync(nonce, token);
        });
        (await client.GetResourceAsync("default/key/1", Cancel)).Dispose();
        (await client.GetResourceAsync("default/key/1", Cancel)).Dispose();
        Assert.Equal(1, answers);
        // What was proved grows old, and is proved anew on the living connection.
        _time.Advance(TimeSpan.FromMinutes(6));
        (await client.GetResourceAsync("default/key/1", Cancel)).Dispose();
        Assert.Equal(2, answers);
    }

    [Fact]
    public async Task GetResource_AnswerOfAnEarlierChallenge_IsRefused()
    {
        await StartAsync(o => o with { RaTlsChallenge = true });
        var old = await _identity.EvidenceAsync(new byte[32], Cancel);
        await RefusedAsync(await _identity.CertificateAsync(Cancel), 403, "evidence.refused", "ratls.nonce", (_, _) => Task.FromResult(old));
    }

    /// <summary>The same certificate is judged again once what it proved has expired.</summary>
    [Fact]
    public async Task GetResource_TokenExpires_CertificateIsJudgedAgain()
    {
        await StartAsync();
        using var client = new AttestedConnectionClient(Options(), await _identity.CertificateAsync(Cancel), null);
        (await client.GetResourceAsync("default/key/1", Cancel)).Dispose();
        _time.Advance(TimeSpan.FromMinutes(6));
        (await client.GetResourceAsync("default/key/1", Cancel)).Dispose();
        using var admin = Admin();
        Assert.Equal(2, (await admin.SearchAuditAsync(new AuditSearch { Kind = "attest" }, Cancel)).Count);
    }

    [Fact]
    public async Task Endpoint_ClientWithoutCertificateOrAnotherRoute_GetsNothing()
    {
        await StartAsync();
        using var anonymous = Http(null);
        await Assert.ThrowsAnyAsync<Exception>(() => anonymous.GetAsync("/kbs/v0/resource/default/key/1", Cancel));
        using var http = Http(await _identity.CertificateAsync(Cancel));
        foreach (var path in new[] { "/kist/v1/status", "/kist/v1/audit", "/console/", "/metrics", "/kbs/v0/auth" })
        {
            using var response = await http.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    private async Task RefusedAsync(
        X509Certificate2 own, int status, string code, string? finding, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>? answer = null)
    {
        using var client = new AttestedConnectionClient(Options(), own, answer);
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("default/key/1", Cancel));
        Assert.Equal((status, code), (error.Status, error.Code));
        if (finding is null)
            return;
        // The peer is told a code; the operator is told which check failed.
        Assert.DoesNotContain(finding, error.Message, StringComparison.Ordinal);
        using var admin = Admin();
        var entry = Assert.Single(await admin.SearchAuditAsync(new AuditSearch { Kind = "attest" }, Cancel));
        Assert.Contains(finding, entry.Entry, StringComparison.Ordinal);
        Assert.Empty(await admin.SearchAuditAsync(new AuditSearch { Kind = "resource.read" }, Cancel));
    }

    private async Task StartAsync(Func<KeyBrokerOptions, KeyBrokerOptions>? configure = null)
    {
        var options = new KeyBrokerOptions { StateDirectory = Path.Combine(_folder, "state"), Time = _time, AllowSimulated = true, RaTlsPort = 0 };
        options = options with { Anchors = options.Anchors.With(_quoter.Options.Anchors.Anchors.Single()), Collateral = _quoter.Options.Collateral };
        _server = await KeyBrokerServer.StartAsync(configure?.Invoke(options) ?? options, Cancel);
        using var admin = Admin();
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "enclave",
                Tee = "sgx",
                Claims = new Dictionary<string, IReadOnlyList<string>> { ["body.mr_enclave"] = [_quoter.MrEnclave] },
                Expires = SimulatedQuoter.Now.AddYears(1),
                Source = "test",
            },
            Cancel);
        await admin.PutResourceAsync(ResourceUri.Parse("default/key/1"), "s"u8.ToArray(), Cancel);
    }

    private KeyBrokerClientOptions Options() => new() { Endpoint = _server!.RaTlsEndpoint!, CertificatePem = _server.CertificatePem };

    private KeyBrokerAdminClient Admin() => new(_server!.Endpoint, _server.CertificatePem, File.ReadAllText(_server.AdminTokenFile));

    private HttpClient Http(X509Certificate2? own)
    {
        using var expected = X509Certificate2.CreateFromPem(_server!.CertificatePem);
        var pinned = expected.RawData;
        var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, c, _, _) => c is not null && c.GetRawCertData().AsSpan().SequenceEqual(pinned) },
        };
        if (own is not null)
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        return new HttpClient(handler) { BaseAddress = _server.RaTlsEndpoint };
    }

    private static X509Certificate2 Certificate(ECDsa key, byte[]? evidence, TimeSpan lifetime)
    {
        var request = new CertificateRequest("CN=enclave", key, HashAlgorithmName.SHA256);
        if (evidence is not null)
            request.CertificateExtensions.Add(new X509Extension(RaTlsEvidence.EvidenceOid, evidence, critical: false));
        return request.CreateSelfSigned(SimulatedQuoter.Now.AddMinutes(-5), SimulatedQuoter.Now + lifetime);
    }
}
