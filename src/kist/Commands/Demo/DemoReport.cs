using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Host;

namespace Kist.Cli.Commands.Demo;

/// <summary>What the demo did.</summary>
/// <param name="ExitCode">The container's exit code.</param>
/// <param name="Image">The encrypted image.</param>
/// <param name="Output">What the container wrote to standard output.</param>
/// <param name="Platform">"simulated tdx" where the machine has no TEE.</param>
/// <param name="Steps">The demo's own steps.</param>
/// <param name="Start">The steps of the container's start.</param>
/// <param name="Verdict">The key broker's verdict on the guest, as its audit log keeps it.</param>
sealed record DemoReport(
    int ExitCode, string Image, string Output, string? Platform, IReadOnlyList<StepTiming> Steps, IReadOnlyList<StepTiming> Start, JsonElement Verdict);

[JsonSerializable(typeof(DemoReport))]
sealed partial class DemoJson : JsonSerializerContext
{
    private static readonly DemoJson Output = new(OutputJson.CreateOptions());

    public static string Write(DemoReport report) => JsonSerializer.Serialize(report, Output.DemoReport);
}
