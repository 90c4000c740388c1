namespace Kist.KeyBroker.Telemetry;

/// <summary>Whether and where traces are sent.</summary>
public sealed record TraceExportOptions
{
    /// <summary>A collector's address; traces go to <c>/v1/traces</c> below it by OTLP over HTTP. Null where the variables decide.</summary>
    public Uri? Collector { get; init; }

    /// <summary>
    /// Looks a variable of the environment up. Read here: OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT,
    /// OTEL_EXPORTER_OTLP_PROTOCOL, and their forms for traces. The others (headers, time limits, sampler, batches, resource)
    /// are read from the environment by OpenTelemetry's own code.
    /// </summary>
    public Func<string, string?> Variable { get; init; } = _ => null;
}
