using System.CommandLine;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image sign": a cosign signature by key.</summary>
static class SignCommand
{
    public static Command Create()
    {
        var image = new Argument<string>("REFERENCE") { Description = "The image, in a registry." };
        var key = new Option<string>("--key") { Description = "Private key (PEM, P-256).", HelpName = "FILE", Required = true };
        var identity = new Option<string?>("--identity") { Description = "The name that is signed (default: the reference as given).", HelpName = "REFERENCE" };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var command = new Command("sign", "Sign an image as cosign does, with a key.") { image, key, identity, json };
        registry.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var reference = ImageReference.Parse(parse.GetValue(image)!);
            using var repository = new RegistryRepository(reference, registry.Read(parse));
            using var signer = ReadKey(parse.GetValue(key)!);
            var content = await repository.ResolveAsync(cancellationToken);
            var name = parse.GetValue(identity) is { } text ? ImageReference.Parse(text).ToString() : reference.Tag is null ? reference.Name : $"{reference.Name}:{reference.Tag}";
            await CosignSignatures.SignAsync(repository, content.Digest, name, signer, cancellationToken);
            ImageOutput.PrintCopied($"{reference.Name}:{CosignSignatures.TagOf(content.Digest)}", content.Descriptor, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static ECDsa ReadKey(string path)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MalformedDataException("private key", -1, $"{path} is no elliptic-curve private key in PEM (keys that cosign encrypted are not read)", e);
        }
    }
}
