using System.Diagnostics;
using Kist.Formats;
using Kist.KeyBroker.Telemetry;

namespace Kist.KeyBroker.Tests;

/// <summary>Traces as a collector gets them.</summary>
public class TraceExportTests
{
    [Fact]
    public async Task Start_WithACollector_SendsASpanForEachStepAndCheck()
    {
        using var collector = new FakeCollector();
        var trace = ActivityTraceId.CreateRandom();
        var caller = ActivitySpanId.CreateRandom();
        using (var export = TraceExport.Start(new TraceExportOptions { Collector = collector.Address }))
        {
            Assert.NotNull(export);
            await using var broker = await TestBroker.StartAsync();
            var handshake = await broker.AuthAsync();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/kbs/v0/attest") { Content = new StringContent(handshake.AttestBody()) };
            request.Headers.Add("Cookie", $"kbs-session-id={handshake.Session}");
            request.Headers.Add("traceparent", $"00-{trace}-{caller}-01");
            using var response = await broker.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(200, (int)response.StatusCode);
        }

        Assert.All(collector.Requests, r => Assert.Equal("POST /v1/traces application/x-protobuf", r));
        Assert.Equal("kist-broker", collector.Resource["service.name"]);
        var mine = collector.Spans.Where(s => s.Trace == trace.ToString()).ToList();
        Assert.All(mine, s => Assert.True(s.Scope == BrokerTracing.SourceName && s.Start <= s.End && s.Start > 0));
        var root = Assert.Single(mine, s => s.Parent == caller.ToString());
        Assert.Equal(("POST /kbs/v0/attest", 2, "200"), (root.Name, root.Kind, root.Attributes["http.response.status_code"]));
        foreach (var step in new[] { "verify", "appraise", "issue token", "audit" })
            Assert.Equal(root.Id, Assert.Single(mine, s => s.Name == step).Parent);
        var check = Assert.Single(mine, s => s.Name == "sample.report_data");
        Assert.Equal((mine.Single(s => s.Name == "verify").Id, "Pass"), (check.Parent, check.Attributes["kist.outcome"]));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("OTEL_TRACES_EXPORTER=none;OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1", null)]
    [InlineData("OTEL_SDK_DISABLED=true;OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1", null)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=", null)]
    [InlineData("OTEL_TRACES_EXPORTER=otlp", "http://localhost:4318/v1/traces")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1/base/", "http://c:1/base/v1/traces")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1;OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://d:2/exact", "https://d:2/exact")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1;OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "http://c:1/")]
    public void Start_ByVariables_FollowsTheSpecification(string variables, string? expected)
    {
        using var export = TraceExport.Start(new TraceExportOptions { Variable = Lookup(variables) });
        Assert.Equal(expected, export?.Collector.AbsoluteUri);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=collector")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1;OTEL_EXPORTER_OTLP_PROTOCOL=http/json")]
    public void Start_ByVariablesThatAreWrong_SaysSo(string variables) =>
        Assert.Throws<MalformedDataException>(() => TraceExport.Start(new TraceExportOptions { Variable = Lookup(variables) }));

    private static Func<string, string?> Lookup(string variables)
    {
        var all = variables.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        return name => all.GetValueOrDefault(name);
    }
}
