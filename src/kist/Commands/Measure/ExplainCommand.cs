using System.CommandLine;
using System.Globalization;
using Kist.Cli.Commands.Verify;
using Kist.Measurement;
using Kist.Measurement.Manifests;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure explain": draws the chain of a manifest, event log or evidence step by step.</summary>
static class ExplainCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "Manifest (kist measure … --json), event log or evidence with one." };
        var eventLog = new Option<string?>("--event-log") { Description = "Event log that belongs to the evidence.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("explain", "Show step by step how each register comes about.") { file, eventLog, json };
        command.SetAction(parse =>
        {
            var log = parse.GetValue(eventLog) is { } path ? EvidenceFiles.Read(path) : null;
            var manifest = EvidenceRegisters.Read(EvidenceFiles.Read(parse.GetValue(file)!), log);
            if (parse.GetValue(json))
                MeasureOutput.WriteOut(ManifestJson.Write(manifest));
            else
                Print(manifest);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(MeasurementManifest manifest)
    {
        foreach (var register in manifest.Registers)
        {
            Console.Out.WriteLine($"{Terminal.Bold(register.Name)}  {register.Value}");
            var value = HashValue.Zero(register.Value.Length);
            var steps = manifest.Steps.Where(s => s.Register == register.Name).ToList();
            foreach (var (index, step) in steps.Index())
            {
                value = step.Kind == "pages" ? step.Digest : value.Extend(step.Digest);
                var branch = index == steps.Count - 1 ? "└─" : "├─";
                Console.Out.WriteLine($"{branch} {step.Description}  {Terminal.Dim($"[{step.Input}] {step.Kind}")}");
                if (step.Kind != "pages")
                    Console.Out.WriteLine($"{(index == steps.Count - 1 ? "  " : "│ ")}   extended by {step.Digest}");
                Console.Out.WriteLine($"{(index == steps.Count - 1 ? "  " : "│ ")}   then {value}");
            }

            if (steps.Count > 0 && value != register.Value)
                Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{register.Name}: its {steps.Count} steps lead to {value}, not to the value above"));
        }

        foreach (var item in manifest.NotCovered)
            Terminal.Note($"not covered: {item.Register}: {item.What}: {item.Why}");
    }
}
