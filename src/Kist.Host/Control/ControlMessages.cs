using System.Text.Json.Serialization;

namespace Kist.Host;

/// <summary>What one kist process asks of a pod's supervisor: one JSON line.</summary>
/// <param name="Operation">"signal", "wait", "exec", "attach" or "connect".</param>
/// <param name="Signal">The Linux signal number for "signal".</param>
internal sealed record ControlRequest(string Operation, int Signal = 0)
{
    /// <summary>Which container is meant; null for the only one.</summary>
    public string? Container { get; init; }

    /// <summary>What to execute, for "exec".</summary>
    public ExecRequest? Exec { get; init; }

    /// <summary>The port in the pod, for "connect".</summary>
    public int Port { get; init; }
}

/// <summary>A program to run in a container that runs.</summary>
public sealed record ExecRequest
{
    /// <summary>The argument vector.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>"NAME=value" entries beside the container's.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Empty for the container's.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Empty for the container's.</summary>
    public string User { get; init; } = "";

    /// <summary>True if it gets a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>True if standard input is passed on.</summary>
    public bool Interactive { get; init; }
}

/// <summary>
/// The supervisor's answer: one JSON line. For "wait" it comes once the container has ended. Behind that for "exec" and
/// "attach" the socket carries frames (<see cref="StreamFrame"/>), for "connect" the connection's bytes.
/// </summary>
/// <param name="Error">Why it could not be done; null if it was.</param>
/// <param name="ExitCode">How the container ended, for "wait".</param>
internal sealed record ControlResponse(string? Error = null, int? ExitCode = null)
{
    /// <summary>What can be done about an error.</summary>
    public string? Hint { get; init; }

    /// <summary>The agent's code of an error, if it is the agent's.</summary>
    public string? Code { get; init; }

    /// <summary>For "attach": true if the container has a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>For "attach": true if its standard input is read.</summary>
    public bool Interactive { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlResponse))]
internal sealed partial class ControlJson : JsonSerializerContext;
