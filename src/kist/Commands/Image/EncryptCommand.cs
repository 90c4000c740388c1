using System.CommandLine;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image encrypt": encrypts, uploads the key, pushes, reads back and proves.</summary>
static class EncryptCommand
{
    private static readonly Argument<string> s_source = new("SRC") { Description = "The image: REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:NAME]." };
    private static readonly Argument<string> s_destination = new("DST") { Description = "Where the encrypted image goes: REFERENCE or oci:DIR[:TAG]." };
    private static readonly BrokerKeyArguments s_key = new();
    private static readonly KeyArguments s_decryption = new();
    private static readonly Option<string[]> s_recipients = new("--recipient") { Description = $"Somebody else who may decrypt; may be repeated: {RecipientReader.Forms}.", HelpName = "RECIPIENT" };
    private static readonly Option<int[]> s_layers = new("--layer") { Description = "Encrypt only this layer (0 is the lowest, -1 the top); may be repeated.", HelpName = "N" };
    private static readonly Option<string?> s_platform = new("--platform") { Description = "Only this image of an index.", HelpName = "OS/ARCH" };
    private static readonly Option<bool> s_json = ImageOutput.JsonOption();
    private static readonly RegistryArguments s_registry = new();

    public static Command Create()
    {
        var command = new Command("encrypt", "Encrypt an image, or add recipients to an encrypted one, give its key to the broker, push it, and prove that it decrypts.")
        {
            s_source, s_destination, s_recipients, s_layers, s_platform, s_json,
        };
        s_key.AddTo(command);
        s_decryption.AddPrivateKeysTo(command);
        s_registry.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var recipients = RecipientReader.Read(parse.GetValue(s_recipients) ?? []);
        using var key = await s_key.ObtainAsync(parse, hasOtherRecipient: recipients.Count > 0, [], cancellationToken);

        // The packet of the broker is always there: it is what proves the result, and what a guest understands.
        IReadOnlyList<ILayerKeyWrapper> wrappers = [new KeyPacketWrapper(key.Id, key.Key.Memory), .. recipients];
        var (location, result) = await EncryptAsync(parse, wrappers, new FixedKeyProvider(key.Id, key.Key.Memory), cancellationToken);
        await s_key.RestrictAsync(parse, key, [.. result.Images.Select(i => i.ManifestDigest)], cancellationToken);
        Print(location, result, key.Id, parse.GetValue(s_json));
        return ExitCode.Success;
    }

    private static async Task<(string Location, EncryptedImage Result)> EncryptAsync(
        ParseResult parse, IReadOnlyList<ILayerKeyWrapper> wrappers, FixedKeyProvider key, CancellationToken cancellationToken)
    {
        var options = s_registry.Read(parse);
        var source = ImageLocation.OpenSource(parse.GetValue(s_source)!, options);
        using var sourceScope = source as IDisposable;
        var destinationText = parse.GetValue(s_destination)!;
        var destination = ImageLocation.OpenDestination(destinationText, options);
        using var destinationScope = destination as IDisposable;
        var encryptor = new ImageEncryptor(
            source, destination, wrappers,
            new EncryptOptions
            {
                OnlyLayers = parse.GetValue(s_layers) is { Length: > 0 } layers ? layers : null,
                Platform = parse.GetValue(s_platform) is { } platform ? Platform.Parse(platform) : null,
                DecryptionKeys = [.. s_decryption.Read(parse), new KeyPacketUnwrapper(key)],
            },
            TransferNotes.Create());
        var result = await encryptor.EncryptAsync(cancellationToken);
        var stored = ImageLocation.OpenSource(destinationText, options);
        using var storedScope = stored as IDisposable;
        await EncryptionProof.ProveAsync(stored, result, [new KeyPacketUnwrapper(key)], cancellationToken);
        return (destination.Location, result);
    }

    private static void Print(string location, EncryptedImage result, string keyId, bool json)
    {
        var clear = result.Images.Sum(i => i.Layers.Count(l => !l.IsEncrypted));
        if (clear > 0)
            Terminal.Note($"warning: {clear} layers are in clear, because only some were to be encrypted");
        if (result.LeftOut.Count > 0)
            Terminal.Note($"{result.LeftOut.Count} entries of the index that are no images (build attestations) were left out");
        if (json)
        {
            ImageOutput.Print(
                new EncryptedOutput(
                    location, result.Digest.ToString(), result.MediaType, keyId, Proven: true,
                    [.. result.Images.Select(i => new EncryptedPlatformOutput(
                        i.Platform, i.ManifestDigest.ToString(),
                        [.. i.Layers.Select(l => new EncryptedLayerOutput(l.Digest.ToString(), l.Size, l.DiffId.ToString(), l.IsEncrypted))]))],
                    [.. result.LeftOut.Select(d => d.ToString())]),
                ImageJson.Output.EncryptedOutput);
            return;
        }

        Console.Out.WriteLine($"image:  {location}");
        Console.Out.WriteLine($"digest: {result.Digest}");
        Console.Out.WriteLine($"key:    {keyId}");
        foreach (var image in result.Images)
            Console.Out.WriteLine($"proven: {image.Platform}: {image.Layers.Count(l => l.IsEncrypted)} of {image.Layers.Count} layers are encrypted, and decrypt to what they were");
    }
}
