using System.CommandLine;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Cli.Commands.Image;

/// <summary>Keys that open encrypted layers, given as files.</summary>
sealed class KeyArguments
{
    private readonly Option<string[]> _brokerKeys = new("--key") { Description = "A key of the broker that is in a file (32 bytes): URI=FILE.", HelpName = "kbs:///…=FILE" };
    private readonly Option<string[]> _privateKeys = new("--decryption-key") { Description = "A private key (PEM) that the image was encrypted for.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Add(_brokerKeys);
        command.Add(_privateKeys);
    }

    /// <summary>For commands that have another meaning for --key.</summary>
    public void AddPrivateKeysTo(Command command) => command.Add(_privateKeys);

    public IReadOnlyList<ILayerKeyUnwrapper> Read(ParseResult parse)
    {
        var keys = (parse.GetValue(_privateKeys) ?? []).Select(ReadPrivateKey).ToList();
        return [new KeyPacketUnwrapper(new FileKeyProvider(parse.GetValue(_brokerKeys) ?? [])), new JweKeyUnwrapper(keys)];
    }

    /// <summary>Reads a private key: RSA, or elliptic for key agreement.</summary>
    public static AsymmetricAlgorithm ReadPrivateKey(string path)
    {
        var pem = File.ReadAllText(path);
        foreach (var create in new Func<AsymmetricAlgorithm>[] { RSA.Create, ECDiffieHellman.Create })
        {
            var key = create();
            try
            {
                key.ImportFromPem(pem);
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                key.Dispose();
            }
        }

        throw new MalformedDataException("private key", -1, $"{path} is no RSA or elliptic-curve private key in PEM");
    }
}
