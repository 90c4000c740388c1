using System.Text.Json;
using Kist.Attestation;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Testing;

namespace Kist.Simulator.Tests.Tdx;

/// <summary>The simulation before the verifier that judges hardware: what is right passes, every fault is found and named.</summary>
public sealed class RealVerifierTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 6, 0, 0, TimeSpan.Zero);
    private static readonly SimulatedVendor Vendor = SimulatedVendor.FromSeed(new byte[32]);
    private static readonly byte[] ReportData = [.. Enumerable.Range(1, 48).Select(i => (byte)i)];

    private static readonly LaunchInputs Inputs = new()
    {
        Firmware = SyntheticOvmf.WithTdx().Build(),
        Kernel = new SyntheticKernel().Build(),
        Initrd = "initrd"u8.ToArray(),
        CommandLine = "quiet",
        MemoryBytes = 512 << 20,
        MrConfigId = Enumerable.Repeat((byte)0xc1, 48).ToArray(),
        Profile = TdxLaunchProfile.Simulated,
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tdx_Faultless_IsAcceptedWhereSimulationsAreAllowed(bool multiPackage)
    {
        var verdict = JudgeTdx(new() { IsMultiPackage = multiPackage });
        Assert.True(verdict.IsAccepted, Describe(verdict));
        Assert.True(verdict.IsSimulated);
        Assert.False(verdict.IsDebug);
        Assert.DoesNotContain(verdict.Findings, f => f.Outcome == FindingOutcome.NotChecked && f.Id.Contains("collateral", StringComparison.Ordinal));
    }

    [Fact]
    public void Tdx_Faultless_IsRefusedWhereSimulationsAreNotAllowed()
    {
        var verdict = JudgeTdx(allowSimulated: false);
        Assert.False(verdict.IsAccepted);
        Assert.Equal("tdx.simulated", verdict.DecisiveFailure!.Id);
    }

    [Fact]
    public void Tdx_WithTheHardwareVendorsRootsOnly_IsRefused() =>
        Assert.False(JudgeTdx(anchors: VendorAnchors.All).IsAccepted);

    [Fact]
    public void Tdx_UnderAnotherSimulatedRoot_IsRefused() =>
        Assert.False(JudgeTdx(anchors: new TrustAnchorSet([SimulatedVendor.FromSeed(Enumerable.Repeat((byte)9, 32).ToArray()).IntelAnchor])).IsAccepted);

    [Fact]
    public void Tdx_EventLog_ReplaysToTheQuotesRegisters()
    {
        var verdict = JudgeTdx();
        Assert.Contains(verdict.Findings, f => f.Id.Contains("rtmr", StringComparison.Ordinal) && f.Outcome == FindingOutcome.Pass);
        Assert.DoesNotContain(verdict.Findings, f => f.Id.Contains("rtmr", StringComparison.Ordinal) && f.Outcome == FindingOutcome.Fail);
    }

    public static TheoryData<string> PlatformFaults =>
    [
        "tcb OutOfDate", "tcb ConfigurationNeeded", "tcb Revoked", "tcb Unknown", "bad quote signature", "bad qe report signature", "bad qe binding",
        "debug quoting enclave", "chain of another vendor", "debug domain", "wrong report data", "wrong init-data",
    ];

    [Theory]
    [MemberData(nameof(PlatformFaults))]
    public void Tdx_PlatformFault_IsRefused(string fault)
    {
        var options = fault switch
        {
            "bad quote signature" => new SimulatedPlatformOptions { BadQuoteSignature = true },
            "bad qe report signature" => new() { BadQeReportSignature = true },
            "bad qe binding" => new() { BadQeBinding = true },
            "debug quoting enclave" => new() { DebugQuotingEnclave = true },
            "chain of another vendor" => new() { ChainOf = SimulatedVendor.FromSeed(Enumerable.Repeat((byte)9, 32).ToArray()) },
            _ when fault.StartsWith("tcb ", StringComparison.Ordinal) => new() { Tcb = Enum.Parse<SimulatedTcbStatus>(fault[4..]) },
            _ => SimulatedPlatformOptions.Default,
        };
        var verdict = JudgeTdx(
            options, new() { NewestLevel = options.Tcb }, fault == "debug domain",
            binding: new(fault == "wrong report data" ? new byte[48] : ReportData, fault == "wrong init-data" ? new byte[32] : null));
        Assert.False(verdict.IsAccepted, Describe(verdict));
        Assert.NotNull(verdict.DecisiveFailure!.Remedy);
    }

    public static TheoryData<string> CollateralFaults =>
    [
        nameof(SimulatedCollateralOptions.ExpiredTcbInfo), nameof(SimulatedCollateralOptions.ExpiredQeIdentity),
        nameof(SimulatedCollateralOptions.ExpiredCrls), nameof(SimulatedCollateralOptions.RevokedPck), nameof(SimulatedCollateralOptions.RevokedPckCa),
        nameof(SimulatedCollateralOptions.RevokedTcbSigning), nameof(SimulatedCollateralOptions.BadTcbInfoSignature),
        nameof(SimulatedCollateralOptions.BadQeIdentitySignature), nameof(SimulatedCollateralOptions.QuotingEnclaveOutOfDate),
        nameof(SimulatedCollateralOptions.OtherQuotingEnclave), nameof(SimulatedCollateralOptions.TdxModuleOutOfDate),
        nameof(SimulatedCollateralOptions.OtherFmspc),
    ];

    [Theory]
    [MemberData(nameof(CollateralFaults))]
    public void Tdx_CollateralFault_IsRefused(string fault)
    {
        var options = fault switch
        {
            nameof(SimulatedCollateralOptions.ExpiredTcbInfo) => new SimulatedCollateralOptions { ExpiredTcbInfo = true },
            nameof(SimulatedCollateralOptions.ExpiredQeIdentity) => new() { ExpiredQeIdentity = true },
            nameof(SimulatedCollateralOptions.ExpiredCrls) => new() { ExpiredCrls = true },
            nameof(SimulatedCollateralOptions.RevokedPck) => new() { RevokedPck = true },
            nameof(SimulatedCollateralOptions.RevokedPckCa) => new() { RevokedPckCa = true },
            nameof(SimulatedCollateralOptions.RevokedTcbSigning) => new() { RevokedTcbSigning = true },
            nameof(SimulatedCollateralOptions.BadTcbInfoSignature) => new() { BadTcbInfoSignature = true },
            nameof(SimulatedCollateralOptions.BadQeIdentitySignature) => new() { BadQeIdentitySignature = true },
            nameof(SimulatedCollateralOptions.QuotingEnclaveOutOfDate) => new() { QuotingEnclaveOutOfDate = true },
            nameof(SimulatedCollateralOptions.OtherQuotingEnclave) => new() { OtherQuotingEnclave = true },
            nameof(SimulatedCollateralOptions.TdxModuleOutOfDate) => new() { TdxModuleOutOfDate = true },
            nameof(SimulatedCollateralOptions.OtherFmspc) => new() { OtherFmspc = true },
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        };
        var verdict = JudgeTdx(collateral: options);
        Assert.False(verdict.IsAccepted, Describe(verdict));
    }

    [Fact]
    public void Tdx_SWHardeningNeeded_IsAcceptedByTheDefaultPolicy() =>
        Assert.True(JudgeTdx(collateral: new() { NewestLevel = SimulatedTcbStatus.SWHardeningNeeded }) is { IsAccepted: true } v, "refused");

    [Fact]
    public void Tdx_ABitFlippedAnywhereInTheSignedPart_IsRefused()
    {
        var quote = new SimulatedTdxPlatform(Vendor).Launch(Inputs).Quote(Padded());
        var options = Options(SimulatedCollateral.Issue(Vendor, Now), allowSimulated: true);
        for (var at = 8; at < 764; at += 5)
        {
            var damaged = (byte[])quote.Clone();
            damaged[at] ^= 0x10;
            try
            {
                Assert.False(Verify("tdx", damaged, default, new(ReportData, null), options).IsAccepted, $"byte {at}");
            }
            catch (Kist.Formats.MalformedDataException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void Tdx_CollateralReadFromItsFiles_Serves()
    {
        var folder = Directory.CreateTempSubdirectory("kist-collateral-");
        try
        {
            SimulatedCollateralDirectory.Write(folder.FullName, Vendor, SimulatedCollateral.Issue(Vendor, Now));
            var reader = new CollateralReader();
            foreach (var file in folder.GetFiles())
                reader.Add(File.ReadAllBytes(file.FullName));
            var anchor = TrustAnchorJson.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, SimulatedCollateralDirectory.TrustAnchorFile)));
            var options = Options(reader.Build(Now), allowSimulated: true) with { Anchors = new TrustAnchorSet([anchor]) };
            var domain = new SimulatedTdxPlatform(Vendor).Launch(Inputs);
            var verdict = Verify("tdx", domain.Quote(Padded()), domain.EventLog, new(ReportData, null), options);
            Assert.True(verdict.IsAccepted, Describe(verdict));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Sgx_Quote_IsAcceptedUnlessDebug(bool debug, bool accepted)
    {
        var enclave = new SimulatedEnclave
        {
            MrEnclave = HashValue.Sha256("enclave"u8).Span.ToArray(),
            MrSigner = HashValue.Sha256("signer"u8).Span.ToArray(),
            Attributes = new byte[] { (byte)(debug ? 0x07 : 0x05), 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0 },
            IsvProdId = 3,
            IsvSvn = 4,
        };
        var quote = new SimulatedSgxPlatform(Vendor).Quote(enclave, Padded());
        var verdict = Verify("sgx", quote, default, new(ReportData, null), Options(SimulatedCollateral.Issue(Vendor, Now), allowSimulated: true));
        Assert.True(verdict.IsAccepted == accepted, Describe(verdict));
        Assert.Equal(debug, verdict.IsDebug);
    }

    private static Verdict JudgeTdx(
        SimulatedPlatformOptions? platform = null, SimulatedCollateralOptions? collateral = null, bool debug = false, bool allowSimulated = true,
        TrustAnchorSet? anchors = null, ExpectedBinding? binding = null)
    {
        var domain = new SimulatedTdxPlatform(Vendor, platform).Launch(Inputs with { Debug = debug });
        var options = Options(SimulatedCollateral.Issue(Vendor, Now, collateral, platform), allowSimulated);
        if (anchors is not null)
            options = options with { Anchors = anchors };
        return Verify("tdx", domain.Quote(Padded()), domain.EventLog, binding ?? new(ReportData, null), options);
    }

    private static VerificationOptions Options(ICollateralSource collateral, bool allowSimulated) => new()
    {
        Time = Now.AddHours(1),
        Anchors = new TrustAnchorSet([Vendor.IntelAnchor]),
        Collateral = collateral,
        AllowSimulated = allowSimulated,
    };

    private static Verdict Verify(string tee, byte[] quote, ReadOnlyMemory<byte> eventLog, ExpectedBinding binding, VerificationOptions options)
    {
        var log = eventLog.IsEmpty ? "" : $",\"cc_eventlog\":\"{Convert.ToBase64String(eventLog.Span)}\"";
        using var evidence = JsonDocument.Parse($"{{\"quote\":\"{Convert.ToBase64String(quote)}\"{log}}}");
        return EvidenceVerifier.Verify(tee, evidence.RootElement, binding, options);
    }

    private static byte[] Padded() => [.. ReportData, .. new byte[16]];

    private static string Describe(Verdict verdict) => string.Join("\n", verdict.Findings.Select(f => $"{f.Outcome} {f.Id}: {f.Why} expected {f.Expected} actual {f.Actual}"));
}
