using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.KeyBroker.Protocol.Tests;

public sealed class KeyBrokerClientTests : IDisposable
{
    private readonly FakeBroker _broker = new();
    private readonly FakeTee _tee = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task GetResource_FirstTime_AttestsAndDecrypts()
    {
        using var client = Client();
        using var secret = await client.GetResourceAsync("kbs:///default/key/1", Token);
        Assert.Equal("/kbs/v0/resource/default/key/1", Encoding.UTF8.GetString(secret.Span));
        Assert.Equal(["POST /kbs/v0/auth", "POST /kbs/v0/attest", "GET /kbs/v0/resource/default/key/1"], _broker.Requests);
    }

    [Fact]
    public async Task GetResource_Evidence_BindsNonceKeyAndDevices()
    {
        _tee.Additional = """{"nvidia":{}}""";
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        var sent = Assert.Single(_broker.Attestations);
        Assert.Equal(
            ReportData.ForTee(FakeBroker.Nonce, JsonWebKey.Parse(sent.RuntimeData.TeePublicKey), _tee.Additional, HashAlgorithmName.SHA384),
            Assert.Single(_tee.Asked));
        Assert.Equal(_tee.Additional, sent.TeeEvidence.AdditionalEvidence);
        Assert.Equal("toml", sent.InitData!.Format);
    }

    [Fact]
    public async Task GetResource_SelectedHash_IsUsed()
    {
        _broker.ExtraParams = """{"selected-hash-algorithm":"sha512"}""";
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        Assert.Equal(64, Assert.Single(_tee.Asked).Length);
    }

    [Fact]
    public async Task GetResource_UnknownHash_IsMalformed()
    {
        _broker.ExtraParams = """{"selected-hash-algorithm":"md5"}""";
        using var client = Client();
        await Assert.ThrowsAsync<MalformedDataException>(() => client.GetResourceAsync("a/b/c", Token));
    }

    [Fact]
    public async Task GetResource_SecondTime_UsesTheToken()
    {
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        (await client.GetResourceAsync("a/b/d", Token)).Dispose();
        Assert.Equal(4, _broker.Requests.Count);
    }

    [Fact]
    public async Task GetResource_ExpiredToken_AttestsAgain()
    {
        var reads = 0;
        _broker.Override = r => r.Method == HttpMethod.Get && ++reads == 2 ? FakeBroker.Error(HttpStatusCode.Unauthorized, "TokenVerifierError") : null;
        using var client = Client();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        (await client.GetResourceAsync("a/b/c", Token)).Dispose();
        Assert.Equal(2, _broker.Attestations.Count);
        Assert.NotEqual(_broker.Attestations[0].RuntimeData.TeePublicKey.GetRawText(), _broker.Attestations[1].RuntimeData.TeePublicKey.GetRawText());
    }

    [Fact]
    public async Task GetResource_AlwaysUnauthorized_GivesUpAfterThreeHandshakes()
    {
        _broker.Override = r => r.Method == HttpMethod.Get ? FakeBroker.Error(HttpStatusCode.Unauthorized) : null;
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal((KeyBrokerStep.FetchResource, 401, "c0ffee"), (error.FailedStep, error.Status, error.CorrelationId));
        Assert.Equal(3, _broker.Attestations.Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.InternalServerError)]
    public async Task GetResource_OtherRefusal_IsFinal(HttpStatusCode status)
    {
        _broker.Override = r => r.Method == HttpMethod.Get ? FakeBroker.Error(status, code: "some.code") : null;
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal(((int)status, "some.code"), (error.Status, error.Code));
        Assert.Single(_broker.Attestations);
    }

    [Theory]
    [InlineData("/kbs/v0/auth", KeyBrokerStep.RequestChallenge)]
    [InlineData("/kbs/v0/attest", KeyBrokerStep.Attest)]
    public async Task GetResource_HandshakeRefused_NamesTheStep(string path, KeyBrokerStep step)
    {
        _broker.Override = r => r.RequestUri!.AbsolutePath == path ? FakeBroker.Error(HttpStatusCode.Unauthorized) : null;
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal(step, error.FailedStep);
        Assert.DoesNotContain("GET /kbs/v0/resource/a/b/c", _broker.Requests);
    }

    [Fact]
    public async Task GetResource_TeeFails_NamesTheStep()
    {
        _tee.Failure = new IOException("no such device");
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal(KeyBrokerStep.CollectEvidence, error.FailedStep);
    }

    [Fact]
    public async Task GetResource_EncryptedToAnotherKey_NamesTheStep()
    {
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        _broker.Override = r => r.Method == HttpMethod.Get ? FakeBroker.Json(JweEncryption.EncryptFlattened([1], EcJsonWebKey.FromPublicKey(other, null))) : null;
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Equal(KeyBrokerStep.DecryptResource, error.FailedStep);
    }

    [Fact]
    public async Task GetResource_EndlessAnswer_IsCutOff()
    {
        _broker.Override = r => r.Method == HttpMethod.Get ? new HttpResponseMessage { Content = new StreamContent(new EndlessStream()) } : null;
        using var client = Client();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.Contains("longer than", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResource_SilentBroker_TimesOut()
    {
        _broker.Override = r => r.Method == HttpMethod.Get ? new HttpResponseMessage { Content = new StreamContent(new SilentStream()) } : null;
        using var client = Client(timeout: TimeSpan.FromMilliseconds(200));
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => client.GetResourceAsync("a/b/c", Token));
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task GetResource_ManyAtOnce_AttestOnce()
    {
        using var client = Client();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => (await client.GetResourceAsync($"a/b/{i}", Token)).Dispose()));
        Assert.Single(_broker.Attestations);
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("ftp://127.0.0.1/")]
    public void Constructor_NotHttps_IsRefused(string endpoint) =>
        Assert.Throws<MalformedDataException>(() => new KeyBrokerClient(new KeyBrokerClientOptions { Endpoint = new Uri(endpoint) }, _tee));

    [Fact]
    public void Constructor_BadPem_IsRefused() => Assert.Throws<MalformedDataException>(
        () => new KeyBrokerClient(new KeyBrokerClientOptions { Endpoint = new Uri("https://127.0.0.1/"), CertificatePem = "x" }, _tee));

    private KeyBrokerClient Client(TimeSpan? timeout = null) => new(
        new KeyBrokerClientOptions
        {
            Endpoint = new Uri("https://broker.example"),
            InitData = new InitDataMessage { Format = "toml", Body = "algorithm = \"sha384\"" },
            RequestTimeout = timeout ?? TimeSpan.FromSeconds(30),
        },
        _tee,
        _broker);

    private sealed class EndlessStream : SilentStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(buffer.Length);
    }

    private class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
