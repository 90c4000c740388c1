using System.Text.Json;
using Kist.Testing;

namespace Kist.Cli.Tests.Verify;

/// <summary>Whole sessions of "kist verify", "inspect", "bundle" and "replay": what is printed where, and the exit code.</summary>
[Collection(nameof(ConsoleSession))]
public sealed class VerifySessionTests
{
    private static string[] Good =>
    [
        "--at", "2025-06-25", "--collateral", Evidence.PathOf("tdx/gce-cos113"), Evidence.PathOf("tdx/b0c06f-phala/collateral.json"),
        "--event-log", Evidence.PathOf("tdx/gce-cos113/ccel.bin"),
    ];

    private static string Quote => Evidence.PathOf("tdx/gce-cos113/quote.dat");

    [Fact]
    public void Verify_GoodQuote_IsAcceptedWithATree()
    {
        var session = ConsoleSession.Run(["verify", Quote, .. Good]);
        Assert.Equal(ExitCode.Success, session.ExitCode);
        Assert.StartsWith($"{Quote}: tdx evidence ACCEPTED, as of 2025-06-25T00:00:00Z\n└─ tdx\n", session.Output, StringComparison.Ordinal);
        Assert.Contains("✓ rtmr3  the event log replays to RTMR3", session.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_Fetch_GetsTheChipsCertificateOnceAndSaysWhatIsMissing()
    {
        using var server = new Kist.Collateral.Tests.FakeKeyServer();
        using var folder = new TemporaryDirectory();
        var report = Evidence.PathOf("snp/milan-v2-trustee/report.bin");
        var evidence = Attestation.EvidenceDetector.Detect(File.ReadAllBytes(report)).Evidence;
        var key = Attestation.Snp.SnpCollateral.KeysFor(evidence).First(k => k.Kind == Attestation.CollateralKey.AmdVcek);
        server.Answers[$"/vcek/v1/{key.Name}"] = Evidence.Read("snp/milan-v2-trustee/vcek.der");
        string[] line = ["verify", "-q", report, "--at", "2024-06-01", "--fetch", "--kds", server.Address.ToString(), "--cache", folder.Path];

        var without = ConsoleSession.Run(["verify", "-q", report, "--at", "2024-06-01"]);
        var first = ConsoleSession.Run(line);
        var second = ConsoleSession.Run(line);

        Assert.Equal(ExitCode.Refused, without.ExitCode);
        Assert.Equal(ExitCode.Success, first.ExitCode);
        Assert.Contains("judged with what is at hand", first.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, second.ExitCode);
        // Reports of version 2 do not say whether they are of Milan or Genoa: the second is asked again, the first is kept.
        Assert.Single(server.Requests, r => r == $"/vcek/v1/{key.Name}");
    }

    [Fact]
    public void Verify_EvidenceInACertificate_SaysThatItsKeyWasNotCompared()
    {
        var session = ConsoleSession.Run(["verify", "-q", "--at", "2023-01-18T15:20:00Z", Evidence.PathOf("nitro/evervault/ra-tls-debug-cert.pem")]);
        Assert.Equal(ExitCode.Refused, session.ExitCode);
        Assert.Contains("1b759efb070ee9ba4bd40375a4941c50d165bc1dfa4297f08b2baff421180948", session.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_WrongReportData_IsRefusedWithRemedy()
    {
        var session = ConsoleSession.Run(["verify", Quote, .. Good, "--report-data", "01"]);
        Assert.Equal(ExitCode.Refused, session.ExitCode);
        Assert.Contains("✗ report_data [decisive]", session.Output, StringComparison.Ordinal);
        Assert.Contains("what to do: the evidence belongs to another request (a replay)", session.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_Json_IsOneObjectAFile()
    {
        var session = ConsoleSession.Run(["verify", Quote, .. Good, "--json"]);
        using var document = JsonDocument.Parse(session.Output);
        Assert.True(document.RootElement.GetProperty("verdict").GetProperty("accepted").GetBoolean());
        Assert.Equal(
            "4969684dc87381fc3b3134176c8d8806eaf0a901859f5f70cfae8d17714b46c10a8de219048c9fc09f11f381a6fbe7c1",
            document.RootElement.GetProperty("verdict").GetProperty("claims").GetProperty("quote").GetProperty("body").GetProperty("rtmr_2").GetString());
    }

    [Fact]
    public void Verify_NoEvidence_IsMalformedAndSaysSo()
    {
        var session = ConsoleSession.Run(["verify", Evidence.PathOf("tdx/gce-cos113/nonce.bin")]);
        Assert.Equal(ExitCode.Malformed, session.ExitCode);
        Assert.Empty(session.Output);
        Assert.Contains("no evidence that kist recognises", session.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_SeveralFiles_WorstDecides()
    {
        var session = ConsoleSession.Run(["verify", "-q", Quote, Evidence.PathOf("tdx/derived/gnr-truncated.dat"), .. Good]);
        Assert.Equal(ExitCode.Malformed, session.ExitCode);
        Assert.Equal($"{Quote}: tdx accepted\n", session.Output);
    }

    [Fact]
    public void Verify_Nothing_IsAUsageError() => Assert.Equal(ExitCode.Usage, ConsoleSession.Run(["verify"]).ExitCode);

    [Fact]
    public void Explain_KnownAndUnknownCode()
    {
        var known = ConsoleSession.Run(["verify", "--explain", "tdx.tcb.status"]);
        Assert.Equal(ExitCode.Success, known.ExitCode);
        Assert.StartsWith("tdx.tcb.status: the platform's TCB status\n\n", known.Output, StringComparison.Ordinal);
        var unknown = ConsoleSession.Run(["verify", "--explain", "tdx.nonsense"]);
        Assert.Equal(ExitCode.Failed, unknown.ExitCode);
        Assert.Contains("tdx.tcb.status", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_Quote_ShowsFieldsAndJudgesNothing()
    {
        var session = ConsoleSession.Run(["inspect", Quote]);
        Assert.Equal(ExitCode.Success, session.ExitCode);
        Assert.StartsWith("tdx, bytes; nothing was judged\n", session.Output, StringComparison.Ordinal);
        Assert.Contains("quote.body.mr_td", session.Output, StringComparison.Ordinal);
        Assert.Contains("3065 bytes", session.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(ConsoleSession.Run(["inspect", Quote, "--json"]).Output);
        Assert.Equal("tdx", json.RootElement.GetProperty("kind").GetString());
    }

    [Fact]
    public void Bundle_CreatedVerifiedAndReplayed_SaysWhatANewPolicyWouldRefuse()
    {
        var folder = Directory.CreateTempSubdirectory("kist-bundle-");
        try
        {
            var bundle = Path.Combine(folder.FullName, "one.kist");
            Assert.Equal(ExitCode.Success, ConsoleSession.Run(["bundle", "create", Quote, "-o", bundle, .. Good]).ExitCode);
            var verified = ConsoleSession.Run(["bundle", "verify", bundle]);
            Assert.Equal(ExitCode.Success, verified.ExitCode);
            Assert.Contains("tdx evidence ACCEPTED, as of 2025-06-25T00:00:00Z", verified.Output, StringComparison.Ordinal);
            Assert.Equal(ExitCode.Success, ConsoleSession.Run(["replay", bundle]).ExitCode);
            var policy = Path.Combine(folder.FullName, "policy.json");
            File.WriteAllText(policy, """{"minimum_evaluation_data_number": 18}""");
            var replayed = ConsoleSession.Run(["replay", "--policy", policy, bundle]);
            Assert.Equal(ExitCode.Refused, replayed.ExitCode);
            Assert.Contains("one.kist: would be refused: tdx.tcb.evaluation_number", replayed.Output, StringComparison.Ordinal);
            Assert.Contains("1 of 1 would be refused that are accepted today; 0 the other way", replayed.Output, StringComparison.Ordinal);
            File.WriteAllText(bundle, "{\"kistBundle\": 2}");
            Assert.Equal(ExitCode.Malformed, ConsoleSession.Run(["bundle", "verify", bundle]).ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
