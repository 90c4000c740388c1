using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Measurement.Manifests;
using Kist.Measurement.Nitro;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure nitro": PCRs of an AWS Nitro enclave.</summary>
static class NitroCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "Enclave image file (EIF)." };
        var output = new MeasureOutput();
        var command = new Command("nitro", "Predict PCR0, 1, 2 and 8 of a Nitro enclave.") { file };
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var bytes = EvidenceFiles.Read(parse.GetValue(file)!, EifImage.MaximumSize);
            return output.Print(parse, MeasurementManifest.Of(NitroMeasurement.Of(EifImage.Parse(bytes)), [ManifestInput.File("image", bytes)]));
        });
        return command;
    }
}
