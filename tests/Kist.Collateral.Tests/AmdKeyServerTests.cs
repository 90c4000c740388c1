using System.Globalization;
using Kist.Attestation;
using Kist.Formats;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Collateral.Tests;

public sealed class AmdKeyServerTests : IDisposable
{
    private const string ReportFile = "snp/milan-v3-oak-oc/report.bin";
    private static readonly CollateralKey s_crl = new(CollateralKey.AmdCrl, "Milan/vcek");

    private readonly FakeKeyServer _server = new();
    private readonly HttpClient _http = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-collateral-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2025-06-01T00:00:00Z", CultureInfo.InvariantCulture)) { AutoAdvanceAmount = TimeSpan.FromSeconds(2) };

    [Fact]
    public async Task FetchAsync_ReportWithoutCertificate_BecomesAcceptable()
    {
        var evidence = new Attestation.Evidence { Tee = "snp", Bytes = Testing.Evidence.Read(ReportFile) };
        var chip = Convert.ToHexStringLower(evidence.Bytes.Span.Slice(0x1A0, 64));
        _server.Answers[$"/vcek/v1/Milan/{chip}?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"] = Testing.Evidence.Read("snp/milan-v3-oak-oc/vcek.der");
        var store = new CollateralStore();

        // The list is not there: its absence is reported, and the certificate is in the store all the same.
        await Assert.ThrowsAsync<OperationFailedException>(() => Server().FetchAsync(evidence, store, Cancel));

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = _time.Start, Collateral = store });
        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        var offline = new CollateralStore();
        await new CollateralCache(_folder).LoadAsync(offline, Cancel);
        Assert.True(EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = _time.Start, Collateral = offline }).IsAccepted);
    }

    [Fact]
    public async Task GetAsync_SecondTime_IsAnsweredFromTheCacheUntilTheListIsDue()
    {
        _server.Answers["/vcek/v1/Milan/crl"] = [1, 2, 3];
        var server = Server();

        Assert.Equal([1, 2, 3], (await server.GetAsync(s_crl, Cancel)).ToArray());
        _server.Answers["/vcek/v1/Milan/crl"] = [4];
        Assert.Equal([1, 2, 3], (await server.GetAsync(s_crl, Cancel)).ToArray());
        Assert.Single(_server.Requests);
        _time.Advance(TimeSpan.FromHours(25));
        Assert.Equal([4], (await server.GetAsync(s_crl, Cancel)).ToArray());
    }

    [Fact]
    public async Task GetAsync_ServerFails_UsesTheStaleListOnlyIfAllowed()
    {
        _server.Answers["/vcek/v1/Milan/crl"] = [1];
        await Server().GetAsync(s_crl, Cancel);
        _time.Advance(TimeSpan.FromHours(25));
        _server.Refusals.Enqueue(503);
        Assert.Equal([1], (await Server().GetAsync(s_crl, Cancel)).ToArray());
        _server.Refusals.Enqueue(503);
        var e = await Assert.ThrowsAsync<OperationFailedException>(() => Server(new CollateralFetchOptions { UseStaleOnError = false }).GetAsync(s_crl, Cancel));
        Assert.True(e.IsTransient);
        Assert.NotNull(e.Hint);
    }

    [Fact]
    public async Task GetAsync_TooManyRequests_WaitsOnceAndAsksAgain()
    {
        _server.Answers["/vlek/v1/Genoa/cert_chain"] = [9];
        _server.Refusals.Enqueue(429);

        var chain = await Server().GetAsync(new CollateralKey(CollateralKey.AmdChain, "Genoa/vlek"), Cancel);

        Assert.Equal([9], chain.ToArray());
        Assert.Equal(2, _server.Requests.Count);
        _server.Refusals.Enqueue(429);
        _server.Refusals.Enqueue(429);
        Assert.True((await Assert.ThrowsAsync<OperationFailedException>(() => Server().GetAsync(s_crl, Cancel))).IsTransient);
    }

    [Fact]
    public async Task GetAsync_UnknownChip_FailsForGood()
    {
        var e = await Assert.ThrowsAsync<OperationFailedException>(() => Server().GetAsync(new CollateralKey(CollateralKey.AmdVcek, "Milan/00?blSPL=00"), Cancel));

        Assert.False(e.IsTransient);
    }

    [Fact]
    public async Task GetAsync_AnswerAboveTheLimit_IsNotRead()
    {
        _server.Answers["/vcek/v1/Milan/crl"] = new byte[1000];

        await Assert.ThrowsAsync<OperationFailedException>(() => Server(new CollateralFetchOptions { SizeLimit = 999 }).GetAsync(s_crl, Cancel));
    }

    [Fact]
    public async Task GetAsync_Offline_AsksNobody()
    {
        await Assert.ThrowsAsync<OperationFailedException>(() => Server(new CollateralFetchOptions { Offline = true }).GetAsync(s_crl, Cancel));

        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task GetAsync_ServerThatNeverAnswers_IsGivenUp()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var address = new Uri($"http://{silent.LocalEndpoint}/");
        using var server = new AmdKeyServer(_http, new CollateralCache(_folder), new CollateralFetchOptions { Timeout = TimeSpan.FromMilliseconds(300) }, null, address);

        var e = await Assert.ThrowsAsync<OperationFailedException>(() => server.GetAsync(s_crl, Cancel));

        Assert.True(e.IsTransient);
    }

    [Theory]
    [InlineData("../../etc", "x")]
    [InlineData("amd.crl", "")]
    [InlineData("..", "x")]
    public void PathOf_KindOrNameThatIsNoFile_IsRefused(string kind, string name) =>
        Assert.Throws<ArgumentException>(() => new CollateralCache(_folder).PathOf(new CollateralKey(kind, name)));

    [Theory]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("/etc/passwd")]
    public void PathOf_AnyName_StaysInTheDirectory(string name)
    {
        var path = Path.GetFullPath(new CollateralCache(_folder).PathOf(new CollateralKey("amd.crl", name)));

        Assert.Equal(Path.Combine(_folder, "amd.crl"), Path.GetDirectoryName(path));
    }

    public void Dispose()
    {
        _server.Dispose();
        _http.Dispose();
        Directory.Delete(_folder, true);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private AmdKeyServer Server(CollateralFetchOptions? options = null) =>
        new(_http, new CollateralCache(_folder), (options ?? new CollateralFetchOptions()) with { Timeout = TimeSpan.FromMinutes(5) }, _time, _server.Address);
}
