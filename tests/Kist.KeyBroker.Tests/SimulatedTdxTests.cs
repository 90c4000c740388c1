using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.KeyBroker.Protocol;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Simulator;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>The whole way with genuine-format TDX quotes: the verifier that will judge hardware judges them here.</summary>
public sealed class SimulatedTdxTests
{
    private const string InitDataBody = "algorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n\"note\" = \"hello\"\n";

    private static readonly SimulatedVendor Vendor = SimulatedVendor.FromSeed(new byte[32]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static LaunchInputs Launch => Inputs;

    private static LaunchInputs Inputs => new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "quiet",
        MemoryBytes = 512 << 20,
        MrConfigId = SHA384.HashData(Encoding.UTF8.GetBytes(InitDataBody)),
        Profile = TdxLaunchProfile.Simulated,
    };

    [Fact]
    public async Task GetResource_PredictedGuest_GetsItsSecret()
    {
        await using var broker = await StartAsync();
        Assert.Equal("s", await ReadAsync(broker, Inputs));
    }

    [Fact]
    public async Task GetResource_AnyChangedInput_IsDenied()
    {
        await using var broker = await StartAsync();
        foreach (var changed in new[]
        {
            Inputs with { CommandLine = "quiet init=/bin/sh" },
            Inputs with { Initrd = "initrd!"u8.ToArray() },
            Inputs with { Kernel = (byte[])[.. Inputs.Kernel.ToArray(), 0] },
        })
        {
            var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, changed));
            Assert.Equal((KeyBrokerStep.FetchResource, 403, "policy.denied"), (error.FailedStep, error.Status, error.Code));
        }
    }

    [Fact]
    public async Task GetResource_OtherInitDataThanMeasured_IsRefused()
    {
        await using var broker = await StartAsync();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, Inputs, InitDataBody + "\n"));
        Assert.Equal((KeyBrokerStep.Attest, 403, "evidence.refused"), (error.FailedStep, error.Status, error.Code));
    }

    [Fact]
    public async Task GetResource_DebuggableGuest_IsRefused()
    {
        await using var broker = await StartAsync();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, Inputs with { Debug = true }));
        Assert.Equal((KeyBrokerStep.Attest, "evidence.refused"), (error.FailedStep, error.Code));
    }

    [Fact]
    public async Task GetResource_SimulationNotAllowed_IsRefused()
    {
        await using var broker = await StartAsync(allowSimulated: false);
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, Inputs));
        Assert.Equal((KeyBrokerStep.Attest, "evidence.refused"), (error.FailedStep, error.Code));
    }

    [Fact]
    public async Task GetResource_AnotherSimulation_IsRefused()
    {
        await using var broker = await StartAsync();
        var stranger = SimulatedVendor.FromSeed(Enumerable.Repeat((byte)1, 32).ToArray());
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, Inputs, vendor: stranger));
        Assert.Equal((KeyBrokerStep.Attest, "evidence.refused"), (error.FailedStep, error.Code));
    }

    [Fact]
    public async Task GetResource_EvidenceOfAnEarlierHandshake_IsRefused()
    {
        await using var broker = await StartAsync();
        var tee = new SimulatedTdx(new SimulatedTdxPlatform(Vendor).Launch(Inputs)) { Replay = true };
        using var first = Guest(broker, tee);
        (await first.GetResourceAsync("default/key/1", Token)).Dispose();
        using var second = Guest(broker, tee);
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => second.GetResourceAsync("default/key/1", Token));
        Assert.Equal((KeyBrokerStep.Attest, "evidence.refused"), (error.FailedStep, error.Code));
    }

    [Fact]
    public async Task GetResource_Denied_TheAuditLogNamesTheRegister()
    {
        await using var broker = await StartAsync();
        var error = await Assert.ThrowsAsync<KeyBrokerException>(() => ReadAsync(broker, Inputs with { CommandLine = "quiet init=/bin/sh" }));
        using var admin = broker.Admin();
        var attested = Assert.Single(await admin.SearchAuditAsync(new AuditSearch { Kind = "attest" }, Token));
        Assert.Contains("quote.body.rtmr_2 should be", attested.Entry, StringComparison.Ordinal);
        Assert.DoesNotContain("quote.body.rtmr_1 should be", attested.Entry, StringComparison.Ordinal);
        var denied = Assert.Single(await admin.SearchAuditAsync(new AuditSearch { Correlation = error.CorrelationId }, Token));
        Assert.Contains("\"policy.denied\"", denied.Entry, StringComparison.Ordinal);
    }

    private static async Task<TestBroker> StartAsync(bool allowSimulated = true)
    {
        var broker = await TestBroker.StartAsync(o => o with
        {
            AllowSimulated = allowSimulated,
            Anchors = o.Anchors.With(Vendor.IntelAnchor),
            Collateral = SimulatedCollateral.Issue(Vendor, TestBroker.Start.AddDays(-1)),
        });
        using var admin = broker.Admin();
        var values = LaunchPredictor.Predict(Inputs).ToReferenceValues();
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "guest",
                Tee = "tdx",
                Claims = new Dictionary<string, IReadOnlyList<string>>
                {
                    ["quote.body.mr_td"] = [values.MrTd.ToString()],
                    ["quote.body.rtmr_0"] = [values.Rtmr0.ToString()],
                    ["quote.body.rtmr_1"] = [values.Rtmr1.ToString()],
                    ["quote.body.rtmr_2"] = [values.Rtmr2.ToString()],
                    ["quote.body.mr_config_id"] = [values.MrConfigId.ToString()],
                },
                Expires = TestBroker.Start.AddYears(1),
                Source = "predicted",
            },
            Token);
        await admin.PutResourceAsync(ResourceUri.Parse("default/key/1"), "s"u8.ToArray(), Token);
        return broker;
    }

    private static async Task<string> ReadAsync(TestBroker broker, LaunchInputs inputs, string initData = InitDataBody, SimulatedVendor? vendor = null)
    {
        using var guest = Guest(broker, new SimulatedTdx(new SimulatedTdxPlatform(vendor ?? Vendor).Launch(inputs)), initData);
        using var secret = await guest.GetResourceAsync("kbs:///default/key/1", Token);
        return Encoding.UTF8.GetString(secret.Span);
    }

    private static KeyBrokerClient Guest(TestBroker broker, IGuestEvidenceSource tee, string initData = InitDataBody) => new(
        new KeyBrokerClientOptions
        {
            Endpoint = broker.Server.Endpoint,
            CertificatePem = broker.Server.CertificatePem,
            InitData = new InitDataMessage { Format = "toml", Body = initData },
        },
        tee);

    private sealed class SimulatedTdx(SimulatedTrustDomain domain) : IGuestEvidenceSource
    {
        private byte[]? _first;

        public bool Replay { get; init; }

        public string Tee => "tdx";

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
        {
            var padded = new byte[SimulatedTrustDomain.ReportDataSize];
            reportData.CopyTo(padded);
            var quote = Replay ? _first ??= domain.Quote(padded) : domain.Quote(padded);
            return Task.FromResult<ReadOnlyMemory<byte>>(JsonSerializer.SerializeToUtf8Bytes(new
            {
                quote = Convert.ToBase64String(quote),
                cc_eventlog = Convert.ToBase64String(domain.EventLog.Span),
            }));
        }
    }
}
