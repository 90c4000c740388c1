using System.CommandLine;
using Kist.Images;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image unpack": decrypts, verifies and unpacks an image into a directory.</summary>
static class UnpackCommand
{
    public static Command Create()
    {
        var image = new Argument<string>("IMAGE") { Description = "REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:NAME]." };
        var directory = new Argument<string>("DIR") { Description = "Where to; the tree is put into DIR/rootfs." };
        var platform = new Option<string?>("--platform") { Description = "Which image of an index.", HelpName = "OS/ARCH" };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var keys = new KeyArguments();
        var command = new Command("unpack", "Decrypt, verify and unpack an image into a directory.") { image, directory, platform, json };
        registry.AddTo(command);
        keys.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = ImageLocation.OpenSource(parse.GetValue(image)!, registry.Read(parse));
            using var scope = source as IDisposable;
            var options = new PullOptions { Platform = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current };
            var pulled = await ImagePuller.PullAsync(source, keys.Read(parse), parse.GetValue(directory)!, options, null, cancellationToken);
            Print(pulled, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(PulledImage pulled, bool json)
    {
        var report = pulled.Report;
        if (!report.OwnersKept)
            Terminal.Note("owners were not restored, because only root may; all files belong to you");
        if (report.SkippedDevices > 0)
            Terminal.Note($"{report.SkippedDevices} device nodes were left out, because only root may make them");
        if (report.SkippedAttributes > 0)
            Terminal.Note($"{report.SkippedAttributes} extended attributes were left out");
        if (json)
        {
            ImageOutput.Print(
                new UnpackedOutput(
                    pulled.RootFileSystem, pulled.ManifestDigest.ToString(), pulled.Layers, pulled.EncryptedLayers, report.Entries, report.ContentBytes,
                    report.SkippedDevices, report.SkippedAttributes, report.OwnersKept, pulled.Config.Config),
                ImageJson.Output.UnpackedOutput);
            return;
        }

        Console.Out.WriteLine(pulled.RootFileSystem);
    }
}
