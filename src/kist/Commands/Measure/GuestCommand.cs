using System.CommandLine;
using System.Globalization;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Manifests;
using Kist.Measurement.Tdx;
using Kist.Pods.Guest;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure guest": what Kist's own guest measures, for a pod's shape.</summary>
static class GuestCommand
{
    public static Command Create()
    {
        var folder = new Argument<string?>("DIR") { Description = "Directory of the guest image (default: the one in the state directory).", Arity = ArgumentArity.ZeroOrOne };
        var state = StateOption.Create();
        var memory = new Option<string>("--memory") { Description = "The pod's memory.", HelpName = "SIZE", DefaultValueFactory = _ => "512m" };
        var profile = new Option<string>("--profile") { Description = "Generation of monitor and firmware.", DefaultValueFactory = _ => TdxLaunchProfile.Simulated.Name };
        var mrConfigId = new Option<string?>("--mr-config-id") { Description = "MRCONFIGID, 96 hexadecimal digits.", HelpName = "HEX" };
        var output = new MeasureOutput();
        var command = new Command("guest", "Predict what Kist's own guest measures.") { folder, state, memory, profile, mrConfigId };
        output.AddTo(command);
        command.SetAction(parse =>
        {
            var name = parse.GetValue(profile)!;
            var chosen = TdxLaunchProfile.Find(name) ?? throw new OperationFailedException("read option", $"--profile {name}", "there is no such profile");
            using var guest = GuestImage.Load(parse.GetValue(folder) ?? parse.Open(state).Guest);
            var (firmware, kernel, initrd) = (guest.Firmware.Content, guest.Kernel.Content, guest.Initrd.Content);
            var bytes = LaunchOptions.Memory(parse.GetValue(memory)!);
            var measurement = LaunchPredictor.Predict(new LaunchInputs
            {
                Firmware = firmware,
                Kernel = kernel,
                Initrd = initrd,
                CommandLine = guest.Manifest.CommandLine,
                MemoryBytes = bytes,
                MrConfigId = parse.GetValue(mrConfigId) is { } hex ? HashValue.Parse(hex).Span.ToArray() : default,
                Profile = chosen,
            });
            return output.Print(parse, MeasurementManifest.Of(
                measurement, chosen.Name,
                [
                    ManifestInput.File("firmware", firmware.Span), ManifestInput.File("kernel", kernel.Span), ManifestInput.File("initrd", initrd.Span),
                    new("command line", guest.Manifest.CommandLine), new("memory", bytes.ToString(CultureInfo.InvariantCulture)),
                ]));
        });
        return command;
    }
}
