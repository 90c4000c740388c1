using System.CommandLine;
using System.Globalization;
using Kist.Measurement.Firmware;
using Kist.Measurement.Manifests;
using Kist.Measurement.Snp;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure snp": the launch digest of an SEV-SNP guest.</summary>
static class SnpCommand
{
    public static Command Create()
    {
        var launch = new LaunchOptions();
        var output = new MeasureOutput();
        var processor = new ProcessorOptions();
        var features = new Option<string>("--features") { Description = "SEV_FEATURES: 0x1, or 0x21 on Linux 6.6 to 6.8 hosts.", HelpName = "N", DefaultValueFactory = _ => "0x1" };
        var svsm = new Option<string?>("--svsm") { Description = "Image of a secure VM service module.", HelpName = "FILE" };
        var variables = new Option<string>("--variables-size") { Description = "With --svsm: bytes of flash for variables below the firmware.", HelpName = "N", DefaultValueFactory = _ => "0" };
        var command = new Command("snp", "Predict the launch digest of an SEV-SNP guest.") { features, svsm, variables };
        launch.AddTo(command);
        processor.AddTo(command);
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var firmware = OvmfImage.Parse(launch.ReadFirmware(parse));
            var module = parse.GetValue(svsm) is { } path ? MeasureFiles.Firmware(path) : null;
            if (module is not null)
                launch.Inputs.Add(ManifestInput.File("svsm", module));
            var inputs = new SnpLaunchInputs
            {
                Firmware = firmware,
                Kernel = launch.ReadKernelHashes(parse),
                VirtualCpus = launch.OneCount(parse),
                Vmm = processor.Vmm(parse, launch.Inputs),
                CpuSignature = processor.Signature(parse, launch.Inputs),
                Generation = processor.Generation(parse, launch.Inputs),
                Features = LaunchOptions.Number("--features", parse.GetValue(features)!),
                Svsm = module is null ? null : new SvsmInputs(OvmfImage.Parse(module), (uint)LaunchOptions.Number("--variables-size", parse.GetValue(variables)!)),
            };
            launch.Inputs.Add(new ManifestInput("features", $"0x{inputs.Features.ToString("x", CultureInfo.InvariantCulture)}"));
            return output.Print(parse, MeasurementManifest.Of(SnpLaunchMeasurement.Of(inputs), processor.ProfileName(parse), [.. launch.Inputs]));
        });
        return command;
    }
}
