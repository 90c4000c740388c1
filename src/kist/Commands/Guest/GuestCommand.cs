using System.CommandLine;
using System.Globalization;
using Kist.Pods.Guest;

namespace Kist.Cli.Commands.Guest;

/// <summary><c>kist guest</c>: the image that pods boot.</summary>
static class GuestCommand
{
    public static Command Create() => new("guest", "Build the guest image that pods boot, and look at it") { CreateBuild(), CreateShow() };

    private static Command CreateBuild()
    {
        var output = new Option<string?>("--out") { Description = "Folder for the image (default: that of the state directory)", HelpName = "DIR" };
        var agent = new Option<string>("--agent")
        {
            Description = "The static agent program",
            HelpName = "FILE",
            DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "kist-agent"),
        };
        var packages = new Option<string?>("--packages") { Description = "Folder that keeps downloaded Debian packages", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print the manifest as JSON" };
        var state = StateOption.Create();
        var command = new Command("build", "Make kernel and initrd from Debian packages: the same bytes from the same packages") { output, agent, packages, json, state };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var directory = parse.Open(state);
            var folder = parse.GetValue(output) ?? directory.Guest;
            var cache = parse.GetValue(packages) ?? Path.Combine(directory.Root, "packages");
            Terminal.Note("building the guest image");
            var manifest = await new GuestImageBuilder(parse.GetValue(agent)!, cache).BuildAsync(folder, cancellationToken);
            Print(manifest, folder, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var json = new Option<bool>("--json") { Description = "Print the manifest as JSON" };
        var folder = new Argument<string?>("DIR") { Description = "Folder of the image (default: that of the state directory)", Arity = ArgumentArity.ZeroOrOne };
        var state = StateOption.Create();
        var command = new Command("show", "Check a guest image against its manifest and show what it was made of") { folder, json, state };
        command.SetAction(parse =>
        {
            using var image = GuestImage.Load(parse.GetValue(folder) ?? parse.Open(state).Guest);
            Print(image.Manifest, image.Folder, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(GuestManifest manifest, string folder, bool json)
    {
        if (json)
        {
            Console.Out.Write(System.Text.Encoding.UTF8.GetString(manifest.ToJson()));
            return;
        }

        Console.Out.WriteLine($"image     {folder}");
        Console.Out.WriteLine($"kernel    {manifest.KernelRelease}");
        Console.Out.WriteLine($"command   {manifest.CommandLine}");
        foreach (var file in (GuestOutput[])[manifest.Firmware, manifest.Kernel, manifest.Initrd])
            Console.Out.WriteLine($"file      {file.File,-8} {file.Size.ToString(CultureInfo.InvariantCulture),10}  sha256:{file.Sha256}");
        foreach (var input in manifest.Inputs)
            Console.Out.WriteLine($"input     {input.Name} {input.Version}  sha256:{input.Sha256}");
        foreach (var launch in manifest.Measurements)
        {
            Console.Out.WriteLine($"launch    {launch.MemoryMebibytes} MiB");
            Console.Out.WriteLine($"  MRTD    {launch.MrTd}");
            Console.Out.WriteLine($"  RTMR0   {launch.Rtmr0}  (without ACPI tables)");
            Console.Out.WriteLine($"  RTMR1   {launch.Rtmr1}");
            Console.Out.WriteLine($"  RTMR2   {launch.Rtmr2}");
        }
    }
}
