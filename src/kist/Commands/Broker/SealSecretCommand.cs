using System.CommandLine;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Secrets;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary>
/// <c>kist secret seal</c>: a text that stands for a secret of the broker. It may lie in manifests and Secrets: only a guest
/// whose policy allows it gets what it stands for.
/// </summary>
static class SealSecretCommand
{
    private const int MaxKeyBytes = 64 << 10;

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The secret: kbs:///repository/type/tag, or those three parts alone" };
        var key = new Option<string>("--key") { Description = "File with the author's private key, P-256 (PEM)", Required = true, HelpName = "FILE" };
        var keyId = new Option<string>("--key-id") { Description = "Where guests find the author's public key: a secret of the broker", Required = true, HelpName = "URI" };
        var jwk = new Option<bool>("--public-key") { Description = "Print the public key instead (JWK), to be stored under --key-id" };
        var command = new Command("seal", "Print a sealed secret: a signed text that stands for a secret of the broker.") { name, key, keyId, jwk };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var author = await ReadKeyAsync(parse.GetValue(key)!, cancellationToken);
            Console.Out.WriteLine(parse.GetValue(jwk)
                ? EcJsonWebKey.FromPublicKey(author, null).ToString()
                : SealedSecret.SealVault(ResourceUri.Parse(parse.GetValue(name)!).ToString(), author, ResourceUri.Parse(parse.GetValue(keyId)!).ToString()));
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<ECDsa> ReadKeyAsync(string path, CancellationToken cancellationToken)
    {
        var pem = await Output.ReadAsync(path, MaxKeyBytes, cancellationToken);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(System.Text.Encoding.ASCII.GetString(pem));
            return key.KeySize == 256 ? key : throw new MalformedDataException(path, -1, "the key is not on P-256", null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MalformedDataException(path, -1, "it holds no private key on P-256 in PEM", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }
    }
}
