using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Kist.Attestation;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Policies;
using Kist.Simulator;

namespace Kist.KeyBroker.Bench;

/// <summary>Evaluations of the default policies a second of one core, in this process, where the JIT compiles what AOT compiles in the broker.</summary>
static class PolicyBench
{
    public static void Run(Setting setting)
    {
        var quote = setting.Domain.Quote(new byte[SimulatedTrustDomain.ReportDataSize]);
        using var evidence = JsonDocument.Parse($$"""{"quote":"{{Convert.ToBase64String(quote)}}","cc_eventlog":"{{Convert.ToBase64String(setting.Domain.EventLog.Span)}}"}""");
        var verdict = EvidenceVerifier.Verify("tdx", evidence.RootElement, ExpectedBinding.None, new VerificationOptions
        {
            Time = TimeProvider.System.GetUtcNow(),
            Collateral = setting.Collateral,
            Anchors = VendorAnchors.All.With(setting.Vendor.IntelAnchor),
            AllowSimulated = true,
        });
        using var nothing = JsonDocument.Parse("{}");
        var part = AttestedPart.Create("cpu0", verdict, null, nothing.RootElement);
        var engine = new RegoPolicyEngine(TimeProvider.System);
        var lookup = new OneSet();
        var attestation = DefaultPolicies.Attestation("default_cpu")!;
        Print("default_cpu over a TDX guest's claims", () => engine.Evaluate("p", attestation, "data.policy.trust_claims", part.AnnotatedEvidence, nothing.RootElement, lookup, CancellationToken.None));
        using var claims = JsonDocument.Parse(Encoding.UTF8.GetBytes($$"""{"submods":{"cpu0":{"ear.status":"affirming","ear.veraison.annotated-evidence":{{part.AnnotatedEvidence.GetRawText()}} } } }"""));
        using var data = JsonDocument.Parse("""{"plugin":"resource","resource-path":["a","b","c"],"query":{}}""");
        Print("resource policy over a token", () => engine.Evaluate("p", DefaultPolicies.Resource, "data.policy.allow", claims.RootElement, data.RootElement, null, CancellationToken.None));
    }

    private static void Print(string what, Action evaluate)
    {
        const int count = 2000;
        for (var i = 0; i < 500; i++)
            evaluate();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < count; i++)
            evaluate();
        Console.WriteLine($"{what,-50}{count / (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds,10:0} evaluations a second of one core");
    }

    private sealed class OneSet : IReferenceLookup
    {
        public JsonElement? ValueOf(string name) => null;

        public System.Collections.Immutable.ImmutableArray<string> MatchingSets(string tee, JsonElement claims) => ["bench@1"];
    }
}
