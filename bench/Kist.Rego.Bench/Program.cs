using System.Diagnostics;
using System.Text.Json;

namespace Kist.Rego.Bench;

/// <summary>
/// Evaluations of an attestation policy and of a resource policy, beside the least that any of it could cost: parsing the
/// input's JSON, and one hash of it. Each line prints microseconds of processor time, bytes allocated, and the ratio.
/// </summary>
static class Program
{
    private const string Attestation =
        """
        package policy

        import rego.v1

        default executables := 33
        default hardware := 97
        default configuration := 36

        trust_claims := {"executables": executables, "hardware": hardware, "configuration": configuration}

        executables := 3 if {
            input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")
            input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
        }

        hardware := 2 if {
            input.tdx.quote.header.tee_type == "81000000"
            input.tdx.quote.body.mr_td in query_reference_value("mr_td")
        }

        configuration := 2 if {
            input.tdx.td_attributes.debug == false
            input.tdx.quote.body.xfam in query_reference_value("xfam")
        }
        """;

    private const string Resource =
        """
        package policy

        default allow := false

        allow if {
            data.plugin == "resource"
            count(input.submods) > 0
            every name, submod in input.submods { submod["ear.status"] == "affirming" }
            startswith(data["resource-path"], "prod/")
        }
        """;

    private const string Evidence =
        """
        {"tdx": {"quote": {"header": {"tee_type": "81000000"}, "body": {"mr_td": "aa", "rtmr_1": "b1", "rtmr_2": "b2", "xfam": "e7"}},
         "td_attributes": {"debug": false}}, "submods": {"cpu0": {"ear.status": "affirming"}, "gpu0": {"ear.status": "affirming"}}}
        """;

    static void Main()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(Evidence);
        var limit = Measure("limit: JsonDocument.Parse of the input", null, () => JsonDocument.Parse(bytes).Dispose());
        Measure("RegoValue.FromJson of the input", limit, () => RegoValue.FromJson(bytes));
        var references = new Dictionary<string, RegoValue>
        {
            ["rtmr_1"] = RegoValue.FromJson("[\"b1\"]"),
            ["rtmr_2"] = RegoValue.FromJson("[\"b2\"]"),
            ["mr_td"] = RegoValue.FromJson("[\"aa\"]"),
            ["xfam"] = RegoValue.FromJson("[\"e7\"]"),
        };
        var extensions = new RegoExtensions().Add("query_reference_value", 1, a => references[((RegoString)a[0]).Value]);
        var options = new RegoCompileOptions { Extensions = extensions };
        var input = RegoValue.FromJson(bytes);
        var attestation = RegoProgram.Compile([new RegoModule("attestation.rego", Attestation)], options);
        Require(attestation.Evaluate("data.policy.trust_claims", input).Value!.ToJson() == """{"configuration":2,"executables":3,"hardware":2}""");
        Measure("attestation policy, evaluated", limit, () => attestation.Evaluate("data.policy.trust_claims", input));
        var traced = new RegoEvaluationOptions { Input = input, Trace = true };
        Measure("attestation policy, evaluated with a trace", limit, () => attestation.Evaluate("data.policy.trust_claims", traced));
        Measure("attestation policy, compiled", limit, () => RegoProgram.Compile([new RegoModule("attestation.rego", Attestation)], options));
        var data = RegoValue.ObjectOf(("plugin", RegoValue.Of("resource")), ("resource-path", RegoValue.Of("prod/key/1")));
        var resource = RegoProgram.Compile("resource.rego", Resource);
        Require(resource.Evaluate("data.policy.allow", input, data).IsTrue);
        Measure("resource policy, evaluated", limit, () => resource.Evaluate("data.policy.allow", input, data));
    }

    private static double Measure(string what, double? limit, Action operation)
    {
        var count = 1;
        while (Time(operation, count) < TimeSpan.FromMilliseconds(250))
            count *= 2;
        var microseconds = Enumerable.Range(0, 5).Select(_ => Time(operation, count).TotalMicroseconds / count).Order().ElementAt(2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        operation();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Console.WriteLine($"{what,-48} {microseconds,9:0.00} µs {allocated,8} B{(limit is { } l ? $"   {microseconds / l,7:0.0} times the limit" : "")}");
        return microseconds;
    }

    private static TimeSpan Time(Action operation, int count)
    {
        var start = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < count; i++)
            operation();
        return Process.GetCurrentProcess().TotalProcessorTime - start;
    }

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("the policy did not give its result, so that nothing was measured");
    }
}
