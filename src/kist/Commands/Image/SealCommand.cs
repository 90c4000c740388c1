using System.CommandLine;
using Kist.Formats;
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
        var baseImage = new Option<string?>("--base") { Description = "The older version, sealed under the same key: what has not changed is taken from it.", HelpName = "IMAGE" };
        var revision = new Option<long>("--revision") { Description = "Number of the release, which counts up; policies can refuse older ones.", HelpName = "N" };
        var dedupe = new Option<SealedDedupe>("--dedupe")
        {
            Description = "What may be seen to be equal, and is stored once: none, image (the same files) or blocks (with --base)",
            DefaultValueFactory = result => result.GetResult(baseImage) is null ? SealedDedupe.Image : SealedDedupe.Blocks,
        };
        var retire = new Option<bool>("--retire") { Description = "With --base: the key is for the new version only, the older one cannot start any more." };
        var perLayer = new Option<bool>("--per-layer") { Description = "Make a file system of each layer, to share lower layers between images. Needs root." };
        var allRoot = new Option<bool>("--all-root") { Description = "Make every file root's. Needed unless root runs this." };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var sourceKeys = new KeyArguments();
        var command = new Command("seal", "Seal an image: encrypted, verified block by block, fetched once and shared by all pods.")
        {
            source, destination, signer, platform, revision, dedupe, baseImage, retire, perLayer, allRoot, json,
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
            var older = parse.GetValue(baseImage) is { } name ? ImageLocation.OpenSource(name, options) : null;
            using var olderScope = older as IDisposable;
            if ((parse.GetValue(dedupe) == SealedDedupe.Blocks) != older is not null)
                throw new OperationFailedException("seal image", parse.GetValue(source)!, "--dedupe blocks and --base belong together", "give both, or neither");
            Digest[] kept = older is null || parse.GetValue(retire) ? [] : [(await older.ResolveAsync(cancellationToken)).Digest];
            using var imageKey = await key.ObtainAsync(parse, hasOtherRecipient: false, kept, cancellationToken);
            var sealOptions = new SealOptions
            {
                Platform = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current,
                Signer = author,
                Revision = parse.GetValue(revision),
                Dedupe = parse.GetValue(dedupe),
                Base = older,
                PerLayer = parse.GetValue(perLayer),
                AllRoot = parse.GetValue(allRoot),
            };
            var result = await ImageSealer.SealAsync(from, sourceKeys.Read(parse), to, imageKey.Id, imageKey.Key.Memory, sealOptions, cancellationToken);
            var stored = ImageLocation.OpenSource(parse.GetValue(destination)!, options);
            using var storedScope = stored as IDisposable;
            var (_, digest) = await SealedImageReader.OpenAsync(stored, new FixedKeyProvider(imageKey.Id, imageKey.Key.Memory), cancellationToken);
            if (digest != result.Digest)
                throw new ContentMismatchException(to.Location, result.Digest, $"the destination now has {digest}");
            await key.RestrictAsync(parse, imageKey, [result.Digest, .. kept], cancellationToken);
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
                new SealedOutput(location, image.Digest.ToString(), image.Source.ToString(), keyId, [.. image.Blobs.Select(b => new BlobOutput(b.Digest.ToString(), b.Size))], image.NewBytes),
                ImageJson.Output.SealedOutput);
            return;
        }

        Console.Out.WriteLine($"image:  {location}");
        Console.Out.WriteLine($"digest: {image.Digest}");
        Console.Out.WriteLine($"source: {image.Source}");
        Console.Out.WriteLine($"key:    {keyId}");
        foreach (var (digest, size) in image.Blobs)
            Console.Out.WriteLine($"blob:   {digest} {TransferNotes.Megabytes(size)}");
        Console.Out.WriteLine($"new:    {TransferNotes.Megabytes(image.NewBytes)}");
    }
}
