using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Cli.Commands.Image;

/// <summary>Keys that open encrypted layers, given as files.</summary>
sealed class KeyArguments
{
    private readonly Option<string[]> _brokerKeys = new("--key") { Description = "A key of the broker that is in a file (32 bytes): URI=FILE.", HelpName = "kbs:///…=FILE" };
    private readonly Option<string[]> _privateKeys = new("--decryption-key") { Description = "What the image was encrypted for: a private key (PEM; for jwe and pkcs7), an OpenPGP secret key, a PKCS #11 key file, or provider:NAME[:PARAMETERS]; may be repeated.", HelpName = "KEY" };
    private readonly Option<string?> _passphrase = new("--passphrase-file") { Description = "File with the passphrase of those private keys.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Add(_brokerKeys);
        AddPrivateKeysTo(command);
    }

    /// <summary>For commands that have another meaning for --key.</summary>
    public void AddPrivateKeysTo(Command command)
    {
        command.Add(_privateKeys);
        command.Add(_passphrase);
    }

    public IReadOnlyList<ILayerKeyUnwrapper> Read(ParseResult parse)
    {
        var passphrase = parse.GetValue(_passphrase) is { } path ? File.ReadAllBytes(path).AsSpan().TrimEnd("\r\n"u8).ToArray() : [];
        var keys = new List<AsymmetricAlgorithm>();
        var rings = new List<byte[]>();
        var tokens = new List<Pkcs11KeyFile>();
        var unwrappers = new List<ILayerKeyUnwrapper>();
        foreach (var key in parse.GetValue(_privateKeys) ?? [])
        {
            if (key.StartsWith("provider:", StringComparison.Ordinal))
                unwrappers.Add(Provider(key["provider:".Length..]));
            else
                Sort(key, passphrase, keys, rings, tokens);
        }

        unwrappers.Add(new KeyPacketUnwrapper(new FileKeyProvider(parse.GetValue(_brokerKeys) ?? [])));
        if (keys.Count > 0)
            unwrappers.AddRange([new JweKeyUnwrapper(keys), new Pkcs7KeyUnwrapper([.. keys.OfType<RSA>()])]);
        if (rings.Count > 0)
            unwrappers.Add(new PgpKeyUnwrapper(rings, passphrase));
        if (tokens.Count > 0)
            unwrappers.Add(new Pkcs11KeyUnwrapper(tokens));
        return unwrappers;
    }

    private static void Sort(string path, byte[] passphrase, List<AsymmetricAlgorithm> keys, List<byte[]> rings, List<Pkcs11KeyFile> tokens)
    {
        var bytes = File.ReadAllBytes(path);
        if (Pkcs11KeyFile.LooksLikeOne(bytes))
            tokens.Add(Pkcs11KeyFile.Parse(bytes));
        else if (bytes.AsSpan().IndexOf("-----BEGIN PGP"u8) >= 0 || (bytes.Length > 0 && bytes[0] >= 0x80))
            rings.Add(bytes);
        else
            keys.Add(ReadPrivateKey(path, Encoding.UTF8.GetString(bytes), passphrase));
    }

    // RSA, or elliptic for key agreement.
    private static AsymmetricAlgorithm ReadPrivateKey(string path, string pem, byte[] passphrase)
    {
        var locked = pem.Contains("ENCRYPTED", StringComparison.Ordinal);
        if (locked && passphrase.Length == 0)
            throw new OperationFailedException("read private key", path, "it is locked with a passphrase", "give --passphrase-file FILE");
        foreach (var create in new Func<AsymmetricAlgorithm>[] { RSA.Create, ECDiffieHellman.Create })
        {
            var key = create();
            try
            {
                if (locked)
                    key.ImportFromEncryptedPem(pem, passphrase);
                else
                    key.ImportFromPem(pem);
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                key.Dispose();
            }
        }

        throw new MalformedDataException("private key", -1, $"{path} is no RSA or elliptic-curve private key in PEM{(locked ? ", or the passphrase is wrong" : "")}");
    }

    private static KeyProviderClient Provider(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var configuration = KeyProviderConfiguration.FromEnvironment();
        return colon < 0 ? configuration.Client(value) : configuration.Client(value[..colon], value[(colon + 1)..]);
    }
}
