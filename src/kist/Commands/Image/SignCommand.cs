using System.CommandLine;
using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image sign": a cosign signature by key, or a simple signature by gpg.</summary>
static class SignCommand
{
    private static readonly Argument<string> s_image = new("REFERENCE") { Description = "The image, in a registry." };
    private static readonly Option<string?> s_key = new("--key") { Description = "Private key: PEM (P-256 or P-384), or of cosign generate-key-pair.", HelpName = "FILE" };
    private static readonly Option<string?> s_passphrase = new("--passphrase-file") { Description = "File with the key's passphrase (default: the variable COSIGN_PASSWORD).", HelpName = "FILE" };
    private static readonly Option<bool> s_bundle = new("--bundle") { Description = "Sign with a bundle that refers to the image, as cosign 3 does; it names no repository." };
    private static readonly Option<string?> s_user = new("--sign-by") { Description = "Sign with gpg's key of this user (simple signing) instead.", HelpName = "USER" };
    private static readonly Option<string?> s_lookaside = new("--lookaside") { Description = "Directory of simple signatures that the new one is added to.", HelpName = "DIR" };
    private static readonly Option<string?> s_identity = new("--identity") { Description = "The name that is signed (default: the reference as given).", HelpName = "REFERENCE" };
    private static readonly Option<bool> s_json = ImageOutput.JsonOption();
    private static readonly RegistryArguments s_registry = new();

    public static Command Create()
    {
        var command = new Command("sign", "Sign an image as cosign does, with a key, or as skopeo and podman do, with gpg.") { s_image, s_key, s_passphrase, s_bundle, s_user, s_lookaside, s_identity, s_json };
        s_registry.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var reference = ImageReference.Parse(parse.GetValue(s_image)!);
        using var repository = new RegistryRepository(reference, s_registry.Read(parse));
        var content = await repository.ResolveAsync(cancellationToken);
        var name = parse.GetValue(s_identity) is { } text ? ImageReference.Parse(text).ToString() : reference.Tag is null ? reference.Name : $"{reference.Name}:{reference.Tag}";
        var where = parse.GetValue(s_user) is { } user
            ? SignByGpg(user, parse.GetValue(s_lookaside), reference, content.Digest, name)
            : await SignByKeyAsync(parse, repository, content, name, cancellationToken);
        ImageOutput.PrintCopied(where, content.Descriptor, parse.GetValue(s_json));
        return ExitCode.Success;
    }

    private static async Task<string> SignByKeyAsync(ParseResult parse, RegistryRepository repository, ManifestContent content, string name, CancellationToken cancellationToken)
    {
        var path = parse.GetValue(s_key) ?? throw new OperationFailedException("sign image", repository.Location, "there is nothing to sign with", "give --key FILE, or --sign-by USER");
        var passphrase = parse.GetValue(s_passphrase) is { } file ? await File.ReadAllBytesAsync(file, cancellationToken) : Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable("COSIGN_PASSWORD") ?? "");
        using var signer = CosignPrivateKey.Read(await File.ReadAllBytesAsync(path, cancellationToken), passphrase.AsSpan().TrimEnd("\r\n"u8));
        if (parse.GetValue(s_bundle))
        {
            await CosignSignatures.SignByBundleAsync(repository, content, signer, cancellationToken);
            return $"{repository.Reference.Name}@{content.Digest}";
        }

        await CosignSignatures.SignAsync(repository, content.Digest, name, signer, cancellationToken);
        return $"{repository.Reference.Name}:{CosignSignatures.TagOf(content.Digest)}";
    }

    private static string SignByGpg(string user, string? lookaside, ImageReference reference, Digest digest, string name)
    {
        if (lookaside is null)
            throw new OperationFailedException("sign image", name, "there is no place for a simple signature", "give --lookaside DIR");
        var message = Gpg.Sign(user, new SignaturePayload(digest, name).ToBytes(SignaturePayload.SimpleType));
        return LookasideStore.Add(lookaside, reference, digest, message);
    }
}
