using System.CommandLine;
using Kist.Measurement.Firmware;
using Kist.Measurement.Manifests;
using Kist.Measurement.Sev;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure sev": the launch digest of an SEV or SEV-ES guest.</summary>
static class SevCommand
{
    public static Command Create()
    {
        var launch = new LaunchOptions();
        var output = new MeasureOutput();
        var processor = new ProcessorOptions();
        var encryptedState = new Option<bool>("--es") { Description = "With encrypted state (SEV-ES): processors are measured as well." };
        var command = new Command("sev", "Predict the launch digest of an SEV or SEV-ES guest.") { encryptedState };
        launch.AddTo(command);
        processor.AddTo(command);
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var es = parse.GetValue(encryptedState);
            var inputs = new SevLaunchInputs { Firmware = OvmfImage.Parse(launch.ReadFirmware(parse)), Kernel = launch.ReadKernelHashes(parse) };
            if (es)
            {
                inputs = inputs with
                {
                    EncryptedStateCpus = launch.OneCount(parse),
                    Vmm = processor.Vmm(parse, launch.Inputs),
                    CpuSignature = processor.Signature(parse, launch.Inputs),
                    Generation = processor.Generation(parse, launch.Inputs),
                };
            }

            return output.Print(parse, MeasurementManifest.Of(SevLaunchMeasurement.Of(inputs), es ? "sev-es" : "sev", es ? processor.ProfileName(parse) : "sev", [.. launch.Inputs]));
        });
        return command;
    }
}
