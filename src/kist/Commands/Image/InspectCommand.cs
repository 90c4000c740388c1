using System.CommandLine;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image inspect": what an image is, and who can open it.</summary>
static class InspectCommand
{
    public static Command Create()
    {
        var image = new Argument<string>("IMAGE") { Description = "REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:NAME]." };
        var platform = new Option<string?>("--platform") { Description = "Which image of an index.", HelpName = "OS/ARCH" };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var command = new Command("inspect", "Show an image's layers, configuration, and who can decrypt it.") { image, platform, json };
        registry.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = ImageLocation.OpenSource(parse.GetValue(image)!, registry.Read(parse));
            using var scope = source as IDisposable;
            var wanted = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current;
            var output = await InspectAsync(source, wanted, cancellationToken);
            if (parse.GetValue(json))
                ImageOutput.Print(output, ImageJson.Output.InspectOutput);
            else
                PrintText(output);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<InspectOutput> InspectAsync(IImageSource source, Platform platform, CancellationToken cancellationToken)
    {
        var root = await source.ResolveAsync(cancellationToken);
        var content = await ImageReader.ResolveManifestAsync(source, platform, cancellationToken);
        var manifest = ImageManifest.Parse(content.Bytes.Span);
        var (configuration, _) = await ImageReader.ReadConfigurationAsync(source, manifest, cancellationToken);
        var layers = manifest.Layers.Select((l, i) => Describe(l, configuration.Rootfs.DiffIds[i])).ToList();
        return new InspectOutput(
            source.Location, root.Digest.ToString(), content.Digest.ToString(), content.MediaType, $"{configuration.Os}/{configuration.Architecture}",
            layers.Count > 0 && layers.TrueForAll(l => l.Encrypted), layers, configuration.Config, configuration.Created);
    }

    private static LayerOutput Describe(Descriptor layer, Digest diffId) => new(
        layer.Digest.ToString(), layer.MediaType, layer.Size, diffId.ToString(), MediaTypes.IsEncrypted(layer.MediaType),
        [.. EncryptionAnnotations.ReadPackets(layer).Select(p => new RecipientOutput(p.Scheme, KeyOf(p.Scheme, p.Packet)))]);

    private static string? KeyOf(string scheme, byte[] packet)
    {
        if (!scheme.StartsWith("provider.", StringComparison.Ordinal))
            return null;
        try
        {
            return KeyPacket.Parse(packet).Kid;
        }
        catch (Formats.MalformedDataException)
        {
            // Another provider's packet.
            return null;
        }
    }

    private static void PrintText(InspectOutput output)
    {
        Console.Out.WriteLine($"image:     {output.Location}");
        Console.Out.WriteLine($"digest:    {output.Digest}");
        if (output.ManifestDigest != output.Digest)
            Console.Out.WriteLine($"manifest:  {output.ManifestDigest}");
        Console.Out.WriteLine($"platform:  {output.Platform}");
        Console.Out.WriteLine($"encrypted: {(output.Encrypted ? "yes, all layers" : output.Layers.Any(l => l.Encrypted) ? "in part" : "no")}");
        Console.Out.WriteLine($"command:   {string.Join(' ', (output.Config?.EntryPoint ?? []).Concat(output.Config?.Command ?? []))}");
        foreach (var layer in output.Layers)
        {
            Console.Out.WriteLine($"layer:     {layer.Digest} {TransferNotes.Megabytes(layer.Size)} {layer.MediaType}");
            foreach (var recipient in layer.Recipients)
                Console.Out.WriteLine($"  key:     {recipient.Scheme} {recipient.Key}".TrimEnd());
        }
    }
}
