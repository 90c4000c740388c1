using System.Text.Json;

namespace Kist.Attestation.Tests.Verdicts;

public sealed class VerdictTests
{
    private static readonly DateTimeOffset s_time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly VerificationOptions s_options = new() { Time = s_time };

    [Fact]
    public void IsAccepted_NoFindings_IsFalse() => Assert.False(new VerdictBuilder("tdx", s_time).Build().IsAccepted);

    [Fact]
    public void IsAccepted_OnlyUnchecked_IsFalse()
    {
        var builder = new VerdictBuilder("tdx", s_time);
        builder.NotChecked("tdx.binding.report_data", "no value was given");
        Assert.False(builder.Build().IsAccepted);
    }

    [Fact]
    public void Verify_UnknownTee_IsRefused()
    {
        using var document = JsonDocument.Parse("{}");
        var verdict = EvidenceVerifier.Verify("sundial", document.RootElement, ExpectedBinding.None, s_options);
        Assert.False(verdict.IsAccepted);
        Assert.Equal("evidence.tee", verdict.DecisiveFailure?.Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SimulationCheck_SimulatedAndDebug_FailUnlessAllowed(bool allowed)
    {
        var builder = new VerdictBuilder("tdx", s_time) { IsSimulated = true, IsDebug = true };
        SimulationCheck.Run(s_options with { AllowSimulated = allowed, AllowDebug = allowed }, builder);
        var verdict = builder.Build();
        Assert.Equal(["tdx.simulated", "tdx.debug"], verdict.Findings.Select(f => f.Id));
        Assert.Equal(allowed, verdict.IsAccepted);
        Assert.Contains("SIMULATED", VerdictTree.ToText(verdict), StringComparison.Ordinal);
        Assert.Contains("DEBUGGABLE", VerdictTree.ToText(verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void ToText_PassFailAndUnchecked_IsATreeWithTheDecisiveFailure()
    {
        var builder = new VerdictBuilder("tdx", s_time);
        builder.Pass("tdx.quote.signature", "the quote is signed by its attestation key");
        builder.Fail("tdx.tcb.status", "the platform is out of date", "UpToDate", "OutOfDate\e[2J", "update it", "Intel §1");
        builder.NotChecked("tdx.binding.report_data", "no value was given");
        Assert.Equal(
            """
            q.dat: tdx evidence REFUSED, as of 2026-01-02T03:04:05Z
            └─ tdx
               ├─ quote
               │  └─ ✓ signature  the quote is signed by its attestation key
               ├─ tcb
               │  └─ ✗ status [decisive]  the platform is out of date
               │          expected: UpToDate
               │          actual:   OutOfDate\u001b[2J
               │          spec:     Intel §1
               │          remedy:   update it
               └─ binding
                  └─ – report_data  no value was given
            decided by tdx.tcb.status: the platform is out of date
            what to do: update it

            """.ReplaceLineEndings("\n"),
            VerdictTree.ToText(builder.Build(), "q.dat"));
    }

    [Fact]
    public void ToUtf8_Verdict_NamesOutcomeAndDecisiveFailure()
    {
        var builder = new VerdictBuilder("tdx", s_time);
        builder.Fail("tdx.tcb.status", "the platform is out of date", "UpToDate", "OutOfDate", "update it");
        using var document = JsonDocument.Parse(VerdictJson.ToUtf8(builder.Build()));
        Assert.False(document.RootElement.GetProperty("accepted").GetBoolean());
        Assert.Equal("tdx.tcb.status", document.RootElement.GetProperty("decisiveFailure").GetString());
        Assert.Equal("fail", document.RootElement.GetProperty("findings")[0].GetProperty("outcome").GetString());
    }

    [Fact]
    public void References_ClaimWithDotsInItsName_IsFound()
    {
        var builder = new VerdictBuilder("sgx", s_time) { Claims = new SampleClaims() };
        ReferenceCheck.Run(
            [
                new ReferenceValue("quote.body.attributes.flags", ["AB"]),
                new ReferenceValue("quote.body.mr_enclave", ["00"]),
                new ReferenceValue("quote.absent", ["00"]),
            ],
            builder);
        Assert.Equal(
            [FindingOutcome.Pass, FindingOutcome.Fail, FindingOutcome.Fail],
            builder.Build().Findings.Select(f => f.Outcome));
    }

    private sealed record SampleClaims : TeeClaims
    {
        public override ReadOnlyMemory<byte> ReportData => default;

        public override ReadOnlyMemory<byte> InitDataField => default;

        public override void WriteTo(Utf8JsonWriter writer) =>
            writer.WriteRawValue("""{"quote":{"body":{"attributes.flags":"ab","mr_enclave":"11"}}}""");
    }
}
