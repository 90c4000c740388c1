using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Host;

namespace Kist.Cli.Commands.Doctor;

/// <summary><c>kist doctor</c>: what this machine can and cannot do, and why. Exit code 1 if something needed is broken.</summary>
static class DoctorCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var state = StateOption.Create();
        var command = new Command("doctor", "Say what this machine can and cannot do, and why") { json, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var items = await Diagnosis.RunAsync(parse.Open(state), cancellationToken);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(items, DoctorJson.Output.IReadOnlyListDiagnosisItem));
            else
                Print(items);
            return items.Any(i => i.State == DiagnosisState.Broken) ? ExitCode.Failed : ExitCode.Success;
        });
        return command;
    }

    private static void Print(IReadOnlyList<DiagnosisItem> items)
    {
        foreach (var item in items)
        {
            Console.Out.WriteLine($"{Mark(item.State)} {item.Id}: {item.Finding}");
            Console.Out.WriteLine($"     {item.Consequence}");
            if (item.Remedy is not null)
                Console.Out.WriteLine($"     to do: {item.Remedy}");
        }
    }

    private static string Mark(DiagnosisState state) => state switch
    {
        DiagnosisState.Ok => Terminal.Green(" ok "),
        DiagnosisState.Absent => Terminal.Yellow("  - "),
        _ => Terminal.Red("FAIL"),
    };
}

[JsonSerializable(typeof(IReadOnlyList<DiagnosisItem>))]
sealed partial class DoctorJson : JsonSerializerContext
{
    public static DoctorJson Output { get; } = new(OutputJson.CreateOptions());
}
