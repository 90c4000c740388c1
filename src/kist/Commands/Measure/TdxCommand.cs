using System.CommandLine;
using System.Globalization;
using Kist.Cli.Commands.Verify;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Manifests;
using Kist.Measurement.Tdx;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure tdx": MRTD and RTMR0–2.</summary>
static class TdxCommand
{
    public static Command Create()
    {
        var launch = new LaunchOptions();
        var boot = new BootOptions();
        var output = new MeasureOutput();
        var memory = new Option<string>("--memory") { Description = "The guest's memory, such as 512m or 2g.", HelpName = "SIZE", Required = true };
        var profile = new Option<string>("--profile")
        {
            Description = $"Generation of monitor and firmware: {string.Join(", ", TdxLaunchProfile.All.Select(p => p.Name))}, simulated, or all.",
            DefaultValueFactory = _ => TdxLaunchProfile.Default.Name,
        };
        var acpi = new Option<string?>("--acpi") { Description = "Directory with table-loader, rsdp and tables, as \"kist measure acpi\" writes them.", HelpName = "DIR" };
        var mrConfigId = new Option<string?>("--mr-config-id") { Description = "MRCONFIGID, 96 hexadecimal digits.", HelpName = "HEX" };
        var eventLog = new Option<string?>("--event-log") { Description = "Write the event log (CCEL) that the guest will have.", HelpName = "FILE" };

        var agentEvent = new Option<string[]>("--agent-event")
        {
            Description = "What the guest's attestation agent will extend into RTMR3 (AAEL), in order. May be repeated.",
            HelpName = "DOMAIN OPERATION CONTENT",
        };

        var command = new Command("tdx", "Predict MRTD and RTMR0-2 of a trust domain.") { memory, profile, acpi, mrConfigId, eventLog, agentEvent };
        launch.AddTo(command);
        boot.AddTo(command);
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var inputs = Read(parse, launch, boot) with
            {
                MemoryBytes = LaunchOptions.Memory(parse.GetValue(memory)!),
                Acpi = AcpiCommand.ReadDigests(parse.GetValue(acpi)),
                MrConfigId = parse.GetValue(mrConfigId) is { } hex ? HashValue.Parse(hex).Span.ToArray() : default,
                AgentEvents = [.. parse.GetValue(agentEvent) ?? []],
            };
            launch.Inputs.AddRange(inputs.AgentEvents.Select((text, i) => new ManifestInput($"agent event {i}", text)));
            launch.Inputs.Add(new ManifestInput("memory", inputs.MemoryBytes.ToString(CultureInfo.InvariantCulture)));
            if (inputs.Acpi is { } digests)
                launch.Inputs.Add(new ManifestInput("acpi", $"{digests.TableLoader}, {digests.Rsdp}, {digests.Tables}"));
            var name = parse.GetValue(profile)!;
            if (name == "all")
                return PrintAll(inputs, launch, output.IsJson(parse));
            var chosen = TdxLaunchProfile.Find(name)
                ?? throw new OperationFailedException("read option", $"--profile {name}", "there is no such profile", $"one of {string.Join(", ", TdxLaunchProfile.All.Select(p => p.Name))}, simulated, all");
            var measurement = LaunchPredictor.Predict(inputs with { Profile = chosen });
            if (parse.GetValue(eventLog) is { } path)
                MeasureFiles.Write(path, measurement.WriteEventLog());
            return output.Print(parse, MeasurementManifest.Of(measurement, chosen.Name, [.. launch.Inputs]));
        });
        return command;
    }

    /// <summary>The inputs without memory, for a command that tries several.</summary>
    public static LaunchInputs Read(ParseResult parse, LaunchOptions launch, BootOptions boot)
    {
        var firmware = launch.ReadFirmware(parse);
        var (kernel, initrd, commandLine) = launch.ReadKernel(parse);
        var chain = boot.Read(parse, launch.Inputs);
        if (kernel is null && chain is null)
            throw new OperationFailedException("read options", "--kernel", "neither a kernel nor a boot chain was given", "give --kernel, or --uki, or --efi for each application that is loaded");
        return new LaunchInputs
        {
            Firmware = firmware,
            Kernel = kernel ?? [],
            Initrd = initrd is null ? (ReadOnlyMemory<byte>?)null : initrd,
            CommandLine = commandLine,
            MemoryBytes = 0,
            Boot = chain,
            BootVariables = boot.ReadVariables(parse, launch.Inputs),
        };
    }

    // Where the generation is not known, every candidate is shown.
    private static int PrintAll(LaunchInputs inputs, LaunchOptions launch, bool json)
    {
        var manifests = new List<MeasurementManifest>();
        foreach (var profile in TdxLaunchProfile.All)
        {
            try
            {
                manifests.Add(MeasurementManifest.Of(LaunchPredictor.Predict(inputs with { Profile = profile }), profile.Name, [.. launch.Inputs]));
            }
            catch (OperationFailedException e)
            {
                Terminal.Note($"{profile.Name} is no candidate: {e.Subject}: {e.Reason}");
            }
        }

        if (!json)
        {
            foreach (var manifest in manifests)
                MeasureOutput.PrintText(manifest);
            return ExitCode.Success;
        }

        VerdictOutput.Print(writer =>
        {
            writer.WriteStartArray("candidates");
            foreach (var manifest in manifests)
            {
                writer.WriteStartObject();
                ManifestJson.WriteMembers(writer, manifest);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
        return ExitCode.Success;
    }
}
