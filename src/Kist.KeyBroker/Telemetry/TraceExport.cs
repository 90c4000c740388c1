using System.Reflection;
using Kist.Formats;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Kist.KeyBroker.Telemetry;

/// <summary>
/// Sends the broker's traces to an OpenTelemetry collector (OTLP 1.x), in batches from a thread of its own: no request waits
/// for a collector, and what one does not take in time is dropped. Where nobody asked for it, nothing of it is loaded.
/// </summary>
public sealed class TraceExport : IDisposable
{
    private const int FlushMilliseconds = 5000;

    private readonly TracerProvider _provider;

    private TraceExport(TracerProvider provider, Uri collector) => (_provider, Collector) = (provider, collector);

    /// <summary>Where traces go.</summary>
    public Uri Collector { get; }

    /// <summary>Begins to send traces; null if neither the options nor the environment name a collector.</summary>
    /// <exception cref="MalformedDataException">The environment's address or protocol is none.</exception>
    public static TraceExport? Start(TraceExportOptions options)
    {
        if (string.Equals(options.Variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase) || options.Variable("OTEL_TRACES_EXPORTER") == "none")
            return null;
        var (protocol, collector) = (Protocol(options), Address(options));
        return collector is null ? null : new TraceExport(Build(collector, protocol), collector);
    }

    /// <summary>Sends what is left, for five seconds at most.</summary>
    public void Dispose()
    {
        _provider.ForceFlush(FlushMilliseconds);
        _provider.Dispose();
    }

    private static TracerProvider Build(Uri collector, OtlpExportProtocol protocol) => Sdk.CreateTracerProviderBuilder()
        .SetResourceBuilder(ResourceBuilder.CreateEmpty()
            .AddService("kist-broker", serviceVersion: typeof(TraceExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector())
        .AddSource(BrokerTracing.SourceName)
        .AddOtlpExporter(exporter => (exporter.Endpoint, exporter.Protocol) = (collector, protocol))
        .Build();

    /// <summary>Over HTTP, as the specification of the exporter has it where nothing is said.</summary>
    private static OtlpExportProtocol Protocol(TraceExportOptions options)
    {
        var name = options.Collector is null ? Text(options, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? Text(options, "OTEL_EXPORTER_OTLP_PROTOCOL") : null;
        return name switch
        {
            null or "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
            "grpc" => OtlpExportProtocol.Grpc,
            _ => throw new MalformedDataException("OTEL_EXPORTER_OTLP_PROTOCOL", -1, $"\"{name}\" is neither http/protobuf nor grpc"),
        };
    }

    /// <summary>The address for traces: an address for all signals gets the path of traces, except for gRPC, which has none.</summary>
    private static Uri? Address(TraceExportOptions options)
    {
        if (options.Collector is { } given)
            return Below(given);
        if (Text(options, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") is { } exact)
            return Read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", exact);
        var isHttp = Protocol(options) == OtlpExportProtocol.HttpProtobuf;
        var all = Text(options, "OTEL_EXPORTER_OTLP_ENDPOINT");
        if (all is null && options.Variable("OTEL_TRACES_EXPORTER") != "otlp")
            return null;
        var address = Read("OTEL_EXPORTER_OTLP_ENDPOINT", all ?? (isHttp ? "http://localhost:4318" : "http://localhost:4317"));
        return isHttp ? Below(address) : address;
    }

    private static Uri Below(Uri address) => new(address.AbsoluteUri.TrimEnd('/') + "/v1/traces");

    private static Uri Read(string variable, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : throw new MalformedDataException(variable, -1, $"\"{value}\" is no URL of http or https");

    /// <summary>A variable that is empty counts as unset.</summary>
    private static string? Text(TraceExportOptions options, string variable) => options.Variable(variable) is { Length: > 0 } value ? value : null;
}
