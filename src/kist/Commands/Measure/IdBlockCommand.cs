using System.CommandLine;
using Kist.Cli.Commands.Verify;
using Kist.Formats;
using Kist.Measurement;
using Kist.Measurement.Snp;

namespace Kist.Cli.Commands.Measure;

/// <summary>"kist measure id-block": the identity block of an SEV-SNP launch, signed.</summary>
static class IdBlockCommand
{
    public static Command Create()
    {
        var digest = new Argument<string>("LAUNCH-DIGEST") { Description = "The launch digest, 96 hexadecimal digits." };
        var idKey = new Option<string>("--id-key") { Description = "The guest owner's key (PEM, P-384).", HelpName = "KEY", Required = true };
        var authorKey = new Option<string?>("--author-key") { Description = "The key that vouches for it (PEM, P-384).", HelpName = "KEY" };
        var family = new Option<string>("--family-id") { Description = "32 hexadecimal digits.", HelpName = "HEX", DefaultValueFactory = _ => new string('0', 32) };
        var image = new Option<string>("--image-id") { Description = "32 hexadecimal digits.", HelpName = "HEX", DefaultValueFactory = _ => new string('0', 32) };
        var svn = new Option<string>("--guest-svn") { Description = "Security version number of the guest.", HelpName = "N", DefaultValueFactory = _ => "0" };
        var policy = new Option<string>("--policy") { Description = "Guest policy.", HelpName = "N", DefaultValueFactory = _ => "0x30000" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("id-block", "Make and sign the identity block of an SEV-SNP launch.") { digest, idKey, authorKey, family, image, svn, policy, json };
        command.SetAction(parse =>
        {
            var block = new SnpIdBlock(
                Sized("LAUNCH-DIGEST", parse.GetValue(digest)!, 48), Sized("--family-id", parse.GetValue(family)!, 16), Sized("--image-id", parse.GetValue(image)!, 16),
                (uint)LaunchOptions.Number("--guest-svn", parse.GetValue(svn)!), LaunchOptions.Number("--policy", parse.GetValue(policy)!));
            using var id = EcKeyFile.Read(parse.GetValue(idKey)!);
            using var author = parse.GetValue(authorKey) is { } path ? EcKeyFile.Read(path) : null;
            if (id.KeySize != 384 || author is { KeySize: not 384 })
                throw new OperationFailedException("sign identity block", "key", "it is not on the curve P-384", "make one by: openssl ecparam -genkey -name secp384r1");
            var members = new List<(string Name, string Value)>
            {
                ("id_block", Convert.ToBase64String(block.Write())),
                ("id_auth", Convert.ToBase64String(SnpIdAuthentication.Sign(block, id, author))),
                ("id_key_digest", SnpIdAuthentication.KeyDigest(id).ToString()),
            };
            if (author is not null)
                members.Add(("author_key_digest", SnpIdAuthentication.KeyDigest(author).ToString()));
            Print(members, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static HashValue Sized(string name, string hex, int size)
    {
        var value = HashValue.Parse(hex);
        return value.Length == size ? value : throw new OperationFailedException("read option", name, $"{value.Length} bytes are not {size}");
    }

    private static void Print(List<(string Name, string Value)> members, bool json)
    {
        if (json)
        {
            VerdictOutput.Print(writer =>
            {
                foreach (var (name, value) in members)
                    writer.WriteString(name, value);
            });
            return;
        }

        foreach (var (name, value) in members)
            Console.Out.WriteLine($"{name}: {value}");
    }
}
