using System.Diagnostics;
using Kist.Attestation;

namespace Kist.KeyBroker.Telemetry;

/// <summary>
/// Traces, as OpenTelemetry collects them: one span a request, below it one for each step, and below a verification one for
/// each check. Spans carry names, outcomes and identifiers, never secrets, tokens or evidence. Without a listener they cost
/// nothing.
/// </summary>
public static class BrokerTracing
{
    /// <summary>The name of the source, which collectors subscribe to.</summary>
    public const string SourceName = "Kist.KeyBroker";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A request, continuing the caller's trace if it sent one (W3C trace context).</summary>
    internal static Activity? StartRequest(string method, string route, string? traceParent)
    {
        _ = ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent);
        return Source.StartActivity($"{method} {route}", ActivityKind.Server, parent);
    }

    /// <summary>A step of a request.</summary>
    internal static Activity? Start(string name) => Source.StartActivity(name);

    /// <summary>The checks of a verdict, as spans below the present one. They tell what was found; their times are not the checks'.</summary>
    internal static void Checks(Verdict verdict)
    {
        if (Activity.Current is not { IsAllDataRequested: true })
            return;
        foreach (var finding in verdict.Findings)
        {
            using var span = Source.StartActivity(finding.Id);
            span?.SetTag("kist.outcome", finding.Outcome.ToString());
            if (finding.Outcome == FindingOutcome.Fail)
                span?.SetStatus(ActivityStatusCode.Error, finding.Why);
        }
    }
}
