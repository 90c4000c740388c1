using System.Text.Json.Serialization;

namespace Kist.Host;

/// <summary>What one kist process asks of a container's supervisor: one JSON line.</summary>
/// <param name="Operation">"signal" or "wait".</param>
/// <param name="Signal">The Linux signal number for "signal".</param>
internal sealed record ControlRequest(string Operation, int Signal = 0);

/// <summary>The supervisor's answer: one JSON line. For "wait" it comes once the container has ended.</summary>
/// <param name="Error">Why it could not be done; null if it was.</param>
/// <param name="ExitCode">How the container ended, for "wait".</param>
internal sealed record ControlResponse(string? Error = null, int? ExitCode = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlResponse))]
internal sealed partial class ControlJson : JsonSerializerContext;
