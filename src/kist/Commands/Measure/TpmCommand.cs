using System.CommandLine;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Measurement.Manifests;
using Kist.Measurement.Tpm;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure tpm": PCRs of a virtual TPM after a boot from a disk.</summary>
static class TpmCommand
{
    public static Command Create()
    {
        var boot = new BootOptions();
        var output = new MeasureOutput();
        var bank = new Option<string>("--bank") { Description = "sha256 or sha384.", DefaultValueFactory = _ => "sha256" };
        var command = new Command("tpm", "Predict PCRs 4, 5, 7, 8, 9, 11, 12, 14 and 15 of a virtual TPM.") { bank };
        boot.AddTo(command);
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var name = parse.GetValue(bank)!;
            var algorithm = name switch
            {
                "sha256" => HashAlgorithmName.SHA256,
                "sha384" => HashAlgorithmName.SHA384,
                _ => throw new OperationFailedException("read option", $"--bank {name}", "it is not sha256 or sha384"),
            };
            var inputs = new List<ManifestInput>();
            var chain = boot.Read(parse, inputs)
                ?? throw new OperationFailedException("read options", "--uki", "no application is named", "give --uki, or --efi for each application that is loaded");
            return output.Print(parse, MeasurementManifest.Of(TpmBootMeasurement.Of(chain, algorithm), name, [.. inputs]));
        });
        return command;
    }
}
