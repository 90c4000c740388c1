using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kist.Cli.Commands.Policy;

/// <summary>What <c>kist policy generate --json</c> says of a workload; its measurement as <c>kist reference add</c> reads it.</summary>
sealed record GeneratedPodReport(
    string Kind, string Name, string InitDataDigest, int AnnotationBytes, IReadOnlyList<GeneratedContainerReport> Containers, JsonElement Measurement);

sealed record GeneratedContainerReport(string Name, string Image);

/// <summary>What <c>kist policy try --json</c> says of a container.</summary>
sealed record TrialReport(string Workload, string Container, bool Allowed, IReadOnlyList<string> Conditions, IReadOnlyList<string> Failures);

[JsonSerializable(typeof(IReadOnlyList<GeneratedPodReport>))]
[JsonSerializable(typeof(IReadOnlyList<TrialReport>))]
sealed partial class PolicyReportJson : JsonSerializerContext
{
    private static PolicyReportJson Context { get; } = new(OutputJson.CreateOptions());

    public static string Write(IReadOnlyList<GeneratedPodReport> reports) => JsonSerializer.Serialize(reports, Context.IReadOnlyListGeneratedPodReport);

    public static string Write(IReadOnlyList<TrialReport> reports) => JsonSerializer.Serialize(reports, Context.IReadOnlyListTrialReport);
}
