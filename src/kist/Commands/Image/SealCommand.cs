using System.CommandLine;
using Kist.Images.Ocicrypt;
using Kist.Images.Sealed;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image seal": makes a sealed image, gives its key to the broker, and reads it back.</summary>
static class SealCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("SRC") { Description = "The image: REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:NAME]." };
        var destination = new Argument<string>("DST") { Description = "Where the sealed image goes: REFERENCE or oci:DIR[:TAG]." };
        var key = new BrokerKeyArguments();
        var signer = new Option<string?>("--sign") { Description = "Private key (PEM, P-256 or P-384) of the author, who signs.", HelpName = "FILE" };
        var platform = new Option<string?>("--platform") { Description = "Which image of an index.", HelpName = "OS/ARCH" };
        var revision = new Option<long>("--revision") { Description = "Number of the release, which counts up; policies can refuse older ones.", HelpName = "N" };
        var unlinkable = new Option<bool>("--unlinkable") { Description = "Hide that two sealed images are of the same files; they then share no blob." };
        var allRoot = new Option<bool>("--all-root") { Description = "Make every file root's. Needed unless root runs this." };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var sourceKeys = new KeyArguments();
        var command = new Command("seal", "Seal an image: encrypted, verified block by block, fetched once and shared by all pods.")
        {
            source, destination, signer, platform, revision, unlinkable, allRoot, json,
        };
        key.AddTo(command);
        registry.AddTo(command);
        sourceKeys.AddPrivateKeysTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var author = parse.GetValue(signer) is { } path ? AuthorKey.ReadPrivate(path) : null;
            var options = registry.Read(parse);
            var from = ImageLocation.OpenSource(parse.GetValue(source)!, options);
            using var fromScope = from as IDisposable;
            var to = ImageLocation.OpenDestination(parse.GetValue(destination)!, options);
            using var toScope = to as IDisposable;
            using var imageKey = await key.ObtainAsync(parse, hasOtherRecipient: false, cancellationToken);
            var sealOptions = new SealOptions
            {
                Platform = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current,
                Signer = author,
                Revision = parse.GetValue(revision),
                Unlinkable = parse.GetValue(unlinkable),
                AllRoot = parse.GetValue(allRoot),
            };
            var result = await ImageSealer.SealAsync(from, sourceKeys.Read(parse), to, imageKey.Id, imageKey.Key.Memory, sealOptions, cancellationToken);
            var stored = ImageLocation.OpenSource(parse.GetValue(destination)!, options);
            using var storedScope = stored as IDisposable;
            var (_, digest) = await SealedImageReader.OpenAsync(stored, new FixedKeyProvider(imageKey.Id, imageKey.Key.Memory), cancellationToken);
            if (digest != result.Digest)
                throw new ContentMismatchException(to.Location, result.Digest, $"the destination now has {digest}");
            await key.RestrictAsync(parse, imageKey, [result.Digest], cancellationToken);
            Print(to.Location, result, imageKey.Id, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(string location, SealedImage image, string keyId, bool json)
    {
        if (json)
        {
            ImageOutput.Print(
                new SealedOutput(location, image.Digest.ToString(), image.Source.ToString(), keyId, [.. image.Blobs.Select(f => new BlobOutput(f.Digest.ToString(), f.Size))]),
                ImageJson.Output.SealedOutput);
            return;
        }

        Console.Out.WriteLine($"image:  {location}");
        Console.Out.WriteLine($"digest: {image.Digest}");
        Console.Out.WriteLine($"source: {image.Source}");
        Console.Out.WriteLine($"key:    {keyId}");
        foreach (var (digest, size) in image.Blobs)
            Console.Out.WriteLine($"blob:   {digest} {TransferNotes.Megabytes(size)}");
    }
}
