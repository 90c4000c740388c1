using System.CommandLine;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image verify": judges an image's signatures by a key or a policy.</summary>
static class VerifyCommand
{
    public static Command Create()
    {
        var image = new Argument<string>("REFERENCE") { Description = "The image, in a registry." };
        var keys = new Option<string[]>("--key") { Description = "Public key (PEM), of which one must have signed; may be repeated.", HelpName = "FILE" };
        var policy = new Option<string?>("--policy") { Description = "A policy.json instead of keys.", HelpName = "FILE" };
        var signer = new Option<string?>("--certificate-identity") { Description = "Signer (e-mail address, URI) whom a short-lived certificate must name, instead of keys.", HelpName = "NAME" };
        var issuer = new Option<string?>("--certificate-oidc-issuer") { Description = "The OpenID provider that must have vouched for that signer.", HelpName = "URL" };
        var root = new Option<string?>("--trusted-root") { Description = "Whom to trust for such certificates: a trusted_root.json. It is not fetched.", HelpName = "FILE" };
        var registries = new Option<string>("--registries-d") { Description = "Directory that says where simple signatures are kept.", HelpName = "DIR", DefaultValueFactory = _ => "/etc/containers/registries.d" };
        var platform = new Option<string?>("--platform") { Description = "Which image of an index.", HelpName = "OS/ARCH" };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var command = new Command("verify", "Judge an image's signatures by keys or by a policy; exit status 3 if it is refused.") { image, keys, policy, signer, issuer, root, registries, platform, json };
        registry.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var repository = new RegistryRepository(ImageReference.Parse(parse.GetValue(image)!), registry.Read(parse));
            var wanted = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current;
            var chain = await ImageReader.ResolveChainAsync(repository, wanted, cancellationToken);
            var stores = RegistriesConfiguration.FromDirectory(parse.GetValue(registries)!);
            var evaluator = new PolicyEvaluator(
                ReadSigner(parse.GetValue(signer), parse.GetValue(issuer), parse.GetValue(root)) ?? ReadPolicy(parse.GetValue(policy), parse.GetValue(keys) ?? []), new FileKeySource(), new LookasideStore(stores.LookasideFor), new OpenPgpVerifier(TimeProvider.System));
            var verdict = await evaluator.EvaluateAsync(repository, [.. chain.Select(c => c.Digest)], cancellationToken);
            Print(repository.Location, chain[^1].Digest, verdict, parse.GetValue(json));
            return verdict.IsAccepted ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    private static ImagePolicy? ReadSigner(string? signer, string? issuer, string? root)
    {
        if (signer is null && issuer is null && root is null)
            return null;
        return signer is not null && issuer is not null && root is not null
            ? ImagePolicy.ForSigner(SigstoreTrustRoot.Parse(File.ReadAllBytes(root)), signer, issuer)
            : throw new OperationFailedException("verify signatures", "policy", "a signer needs all of --certificate-identity, --certificate-oidc-issuer and --trusted-root");
    }

    private static ImagePolicy ReadPolicy(string? path, string[] keys) =>
        path is not null ? ImagePolicy.Parse(File.ReadAllBytes(path))
        : keys.Length > 0 ? ImagePolicy.ForKeys([.. keys.Select(File.ReadAllBytes)])
        : throw new OperationFailedException("verify signatures", "policy", "there is nothing to judge by", "give --key FILE, --policy FILE, or --certificate-identity NAME");

    private static void Print(string image, Digest digest, PolicyVerdict verdict, bool json)
    {
        if (json)
        {
            ImageOutput.Print(
                new VerifiedOutput(image, digest.ToString(), verdict.IsAccepted, [.. verdict.Findings.Select(f => new FindingOutput(f.Requirement, f.IsMet, f.Reason))]),
                ImageJson.Output.VerifiedOutput);
            return;
        }

        Console.Out.WriteLine($"{image} {digest}: {(verdict.IsAccepted ? Terminal.Green("accepted") : Terminal.Red("refused"))}");
        foreach (var finding in verdict.Findings)
            Console.Out.WriteLine($"  {(finding.IsMet ? "met" : "not met")}: {finding.Requirement}: {finding.Reason}");
    }

    private sealed class FileKeySource : IPolicyKeySource
    {
        public async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
        {
            if (path.StartsWith("kbs:", StringComparison.Ordinal))
                throw new OperationFailedException("read key", path, "keys at the broker can be read by attested guests only");
            return await File.ReadAllBytesAsync(path, cancellationToken);
        }
    }
}
