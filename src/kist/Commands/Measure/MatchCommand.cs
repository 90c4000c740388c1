using System.Collections.Immutable;
using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Manifests;
using Kist.Measurement.Matching;
using Kist.Measurement.Snp;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure match": which combination of artefacts and presets explains a piece of evidence.</summary>
static class MatchCommand
{
    public static Command Create()
    {
        var evidence = new Argument<string>("EVIDENCE") { Description = "Quote, report or their JSON." };
        var launch = new LaunchOptions();
        var boot = new BootOptions();
        var memory = new Option<string[]>("--memory") { Description = "Memory sizes to try (default: the usual ones).", HelpName = "SIZE" };
        var acpi = new Option<string?>("--acpi") { Description = "Directory with the ACPI blobs; without it those of the event log are taken.", HelpName = "DIR" };
        var eventLog = new Option<string?>("--event-log") { Description = "Event log that belongs to the evidence.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("match", "Find what explains a piece of evidence. Exit code 3 if something is not explained.") { evidence, memory, acpi, eventLog, json };
        launch.AddTo(command);
        boot.AddTo(command);
        command.SetAction(parse =>
        {
            var log = parse.GetValue(eventLog) is { } path ? EvidenceFiles.Read(path) : null;
            var registers = EvidenceRegisters.Read(EvidenceFiles.Read(parse.GetValue(evidence)!), log);
            var result = registers.Tee switch
            {
                "tdx" => MatchTdx(parse, registers, launch, boot, parse.GetValue(memory), parse.GetValue(acpi)),
                "snp" => MatchSnp(parse, registers, launch),
                _ => throw new OperationFailedException("match", registers.Tee, "only tdx and snp can be matched", "compare manifests by: kist measure diff"),
            };
            Print(result, parse.GetValue(json));
            return result.IsExplained ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    private static MatchResult MatchTdx(ParseResult parse, MeasurementManifest evidence, LaunchOptions launch, BootOptions boot, string[]? memory, string? acpi)
    {
        var sizes = memory is { Length: > 0 } texts ? [.. texts.Select(LaunchOptions.Memory)] : TdxMatcher.UsualMemoryMebibytes.Select(m => m << 20).ToImmutableArray();
        return TdxMatcher.Match(evidence, TdxCommand.Read(parse, launch, boot) with { Acpi = AcpiCommand.ReadDigests(acpi) }, sizes);
    }

    private static MatchResult MatchSnp(ParseResult parse, MeasurementManifest evidence, LaunchOptions launch)
    {
        var measurement = evidence.Find("measurement") ?? throw new MalformedDataException("SNP evidence", -1, "it has no measurement");
        var artefacts = new SnpLaunchInputs { Firmware = OvmfImage.Parse(launch.ReadFirmware(parse)), Kernel = launch.ReadKernelHashes(parse) };
        return SnpMatcher.Match(measurement, artefacts, [.. launch.Counts(parse, [.. SnpMatcher.UsualVirtualCpus])]);
    }

    private static void Print(MatchResult result, bool json)
    {
        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                writer.WriteString("tee", result.Tee);
                writer.WriteBoolean("explained", result.IsExplained);
                writer.WriteNumber("candidates", result.Candidates);
                writer.WriteStartArray("registers");
                foreach (var register in result.Registers)
                {
                    writer.WriteStartObject();
                    writer.WriteString("register", register.Register);
                    writer.WriteString("value", register.Value.ToString());
                    writer.WriteBoolean("explained", register.IsExplained);
                    writer.WriteStartArray("by");
                    foreach (var by in register.By)
                        writer.WriteStringValue(by);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
            return;
        }

        Terminal.Note($"{result.Candidates} combinations were tried");
        foreach (var register in result.Registers)
        {
            Console.Out.WriteLine($"{(register.IsExplained ? Terminal.Green("explained    ") : Terminal.Red("not explained"))} {register.Register}  {register.Value}");
            foreach (var by in register.By)
                Console.Out.WriteLine($"                {by}");
        }
    }
}
