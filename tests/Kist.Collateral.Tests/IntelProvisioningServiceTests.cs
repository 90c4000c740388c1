using System.Text;
using Kist.Attestation;
using Kist.Formats;
using Microsoft.Extensions.Time.Testing;

namespace Kist.Collateral.Tests;

/// <summary>Intel's service and its caches, faked over real HTTP with collateral that Intel once served.</summary>
public sealed class IntelProvisioningServiceTests : IDisposable
{
    private const string TcbPath = "/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard";
    private const string IdentityPath = "/tdx/certification/v4/qe/identity?update=standard";
    private const string PckCrlPath = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
    private const string RootCrlPath = "/sgx/certification/v4/rootcacrl";
    private static readonly DateTimeOffset s_start = new(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);
    private static readonly DcapCollateralKey s_key = new("b0c06f000000", PckCa.Platform, "tdx");

    private readonly FakeKeyServer _server = new();
    private readonly HttpClient _http = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-collateral-").FullName;
    private readonly FakeTimeProvider _time = new(s_start) { AutoAdvanceAmount = TimeSpan.FromSeconds(2) };

    [Fact]
    public async Task FetchAsync_Quote_BecomesAcceptable_AndStaysSoOffline()
    {
        Serve();
        var evidence = new Attestation.Evidence { Tee = "tdx", Bytes = Testing.Evidence.Read("tdx/b0c06f-phala/quote.dat") };
        var store = new CollateralStore();
        await Service().FetchAsync(evidence, store, Cancel);
        Assert.Equal([TcbPath, IdentityPath, PckCrlPath, RootCrlPath], _server.Requests);
        Assert.True(Accepts(evidence, store));

        var copied = new CollateralStore();
        await new CollateralCache(_folder).LoadAsync(copied, Cancel);
        Assert.True(Accepts(evidence, copied));
        var offline = new CollateralStore();
        await Service(new CollateralFetchOptions { Offline = true }).FetchAsync(evidence, offline, Cancel);
        Assert.True(Accepts(evidence, offline));
        Assert.Equal(4, _server.Requests.Count);
    }

    [Fact]
    public async Task GetAsync_SecondTime_IsAnsweredFromTheCacheUntilItIsDue()
    {
        Serve();
        var service = Service();
        await service.GetAsync(s_key, Cancel);
        await service.GetAsync(s_key, Cancel);
        Assert.Equal(4, _server.Requests.Count);
        _time.Advance(TimeSpan.FromHours(25));
        await service.GetAsync(s_key, Cancel);
        Assert.Equal(8, _server.Requests.Count);
    }

    [Fact]
    public async Task GetAsync_ExpiredCollateral_IsFetchedAtOnce()
    {
        Serve();
        _time.SetUtcNow(new DateTimeOffset(2025, 7, 20, 0, 0, 0, TimeSpan.Zero));
        var service = Service();
        await service.GetAsync(s_key, Cancel);
        await service.GetAsync(s_key, Cancel);
        Assert.Equal(8, _server.Requests.Count);
    }

    [Fact]
    public async Task GetAsync_ServerFails_UsesStaleCollateralOnlyIfAllowed()
    {
        Serve();
        await Service().GetAsync(s_key, Cancel);
        _time.Advance(TimeSpan.FromHours(25));
        _server.Refusals.Enqueue(503);
        Assert.NotNull(await Service().GetAsync(s_key, Cancel));
        _server.Refusals.Enqueue(503);
        var e = await Assert.ThrowsAsync<OperationFailedException>(() => Service(new CollateralFetchOptions { UseStaleOnError = false }).GetAsync(s_key, Cancel));
        Assert.True(e.IsTransient);
    }

    [Fact]
    public async Task GetAsync_UnknownPlatformOrNoChain_Fails()
    {
        var unknown = await Assert.ThrowsAsync<OperationFailedException>(() => Service().GetAsync(s_key, Cancel));
        Assert.False(unknown.IsTransient);
        Serve();
        _server.Headers.Clear();
        var noChain = await Assert.ThrowsAsync<OperationFailedException>(() => Service().GetAsync(s_key, Cancel));
        Assert.Contains("TCB-Info-Issuer-Chain", noChain.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetAsync_DamagedCache_IsFetchedAgain()
    {
        Serve();
        await Service().GetAsync(s_key, Cancel);
        var file = Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Single();
        await File.WriteAllTextAsync(file, "{", Cancel);
        await Service().GetAsync(s_key, Cancel);
        Assert.Equal(8, _server.Requests.Count);
    }

    public void Dispose()
    {
        _server.Dispose();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static bool Accepts(Attestation.Evidence evidence, CollateralStore store) =>
        EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = s_start, Collateral = store }).IsAccepted;

    private IntelProvisioningService Service(CollateralFetchOptions? options = null) =>
        new(_http, new CollateralCache(_folder), options, _time, _server.Address);

    private void Serve()
    {
        var reader = new CollateralReader();
        reader.Add(Testing.Evidence.Read("tdx/b0c06f-phala/collateral.json"));
        var collateral = reader.Build(s_start).FindDcap(s_key)!;
        _server.Answers[TcbPath] = collateral.TcbInfo.ToArray();
        _server.Headers[TcbPath] = ("TCB-Info-Issuer-Chain", Chain(collateral.TcbInfoIssuerChain));
        _server.Answers[IdentityPath] = collateral.QeIdentity.ToArray();
        _server.Headers[IdentityPath] = ("SGX-Enclave-Identity-Issuer-Chain", Chain(collateral.QeIdentityIssuerChain));
        _server.Answers[PckCrlPath] = collateral.PckCrl.ToArray();
        _server.Headers[PckCrlPath] = ("SGX-PCK-CRL-Issuer-Chain", Chain(collateral.TcbInfoIssuerChain));

        // A PCCS answers with the list in hexadecimal.
        _server.Answers[RootCrlPath] = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(collateral.RootCaCrl.Span));
    }

    private static string Chain(ReadOnlyMemory<byte> pem) => Uri.EscapeDataString(Encoding.ASCII.GetString(pem.Span));
}
