using System.Globalization;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Host;

/// <summary>When a container that has ended is started again.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RestartCondition>))]
public enum RestartCondition
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>If its exit code is not 0.</summary>
    OnFailure,

    /// <summary>Always, until it is stopped.</summary>
    Always,
}

/// <summary>When, and how often.</summary>
/// <param name="Condition">When.</param>
/// <param name="Maximum">How often at most; 0 for no limit.</param>
public sealed record RestartRule(RestartCondition Condition, int Maximum = 0)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1), LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>Never.</summary>
    public static RestartRule Never { get; } = new(RestartCondition.Never);

    /// <summary>Reads no, on-failure[:N], always or unless-stopped, as docker does. Nothing is started after the machine's own restart.</summary>
    /// <exception cref="OperationFailedException">It is none of them.</exception>
    public static RestartRule Parse(string text) => text switch
    {
        "no" => Never,
        "always" or "unless-stopped" => new RestartRule(RestartCondition.Always),
        "on-failure" => new RestartRule(RestartCondition.OnFailure),
        _ when text.StartsWith("on-failure:", StringComparison.Ordinal)
            && int.TryParse(text["on-failure:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 =>
            new RestartRule(RestartCondition.OnFailure, count),
        _ => throw new OperationFailedException("read --restart", text, "it is none of no, on-failure, on-failure:N, always, unless-stopped"),
    };

    /// <summary>Reads a pod's restartPolicy.</summary>
    /// <exception cref="OperationFailedException">It is none.</exception>
    public static RestartRule OfPod(string text) => text switch
    {
        "Never" => Never,
        "OnFailure" => new RestartRule(RestartCondition.OnFailure),
        "Always" => new RestartRule(RestartCondition.Always),
        _ => throw new OperationFailedException("read restartPolicy", text, "it is none of Always, OnFailure, Never"),
    };

    /// <summary>True if a container that has ended so, and has been started again so often, is started again.</summary>
    public bool Applies(int exitCode, int restarts) =>
        (Condition == RestartCondition.Always || (Condition == RestartCondition.OnFailure && exitCode != 0)) && (Maximum == 0 || restarts < Maximum);

    /// <summary>How long to wait before the next start: twice as long each time, up to a minute.</summary>
    public static TimeSpan Delay(int restarts) =>
        restarts >= 6 ? LongestDelay : FirstDelay * (1 << restarts);
}
