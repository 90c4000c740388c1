using System.CommandLine;
using Kist.Enclaves.Signing;

namespace Kist.Cli.Commands.Sgx;

/// <summary>Where an enclave signing key is: a file, or a PKCS#11 token.</summary>
sealed class SignerArguments
{
    private readonly Option<FileInfo?> _key = new("--key") { Description = "Signing key, PEM (see kist sgx keygen)." };
    private readonly Option<string?> _module = new("--pkcs11-module") { Description = "Library of a PKCS#11 token that holds the key, in place of --key." };
    private readonly Option<string?> _token = new("--token") { Description = "Label of the token." };
    private readonly Option<string?> _label = new("--key-label") { Description = "Label of the key in the token." };
    private readonly Option<FileInfo?> _pin = new("--pin-file") { Description = "File with the token's PIN." };

    /// <summary>Adds the options. One of the two places must be given, or whatever else the command has.</summary>
    /// <param name="command">The command.</param>
    /// <param name="otherwise">True if the command's line has another signer.</param>
    /// <param name="other">How that other one is named, for the message.</param>
    public void AddTo(Command command, Func<System.CommandLine.Parsing.CommandResult, bool>? otherwise = null, string other = "")
    {
        foreach (var option in new Option[] { _key, _module, _token, _label, _pin })
            command.Add(option);
        command.Validators.Add(result =>
        {
            var token = result.GetValue(_module) is not null && result.GetValue(_token) is not null && result.GetValue(_label) is not null && result.GetValue(_pin) is not null;
            var ways = (token ? 1 : 0) + (result.GetValue(_key) is not null ? 1 : 0) + (otherwise?.Invoke(result) == true ? 1 : 0);
            if (ways != 1)
                result.AddError($"give either --key, or --pkcs11-module, --token, --key-label and --pin-file{other}");
        });
    }

    /// <summary>Opens the signer.</summary>
    public OpenSigner Open(ParseResult parse)
    {
        using var secret = new SecretFile(parse.GetValue(_key) ?? parse.GetValue(_pin)!);
        if (parse.GetValue(_module) is { } module)
        {
            var token = Pkcs11Signer.Open(module, parse.GetValue(_token)!, secret.Line, parse.GetValue(_label)!);
            return new OpenSigner(token, token);
        }

        var key = EnclaveSigningKey.FromPem(secret.Bytes);
        return new OpenSigner(key, key);
    }

    /// <summary>A signer, and what ends it.</summary>
    public sealed record OpenSigner(ISigstructSigner Signer, IDisposable Owner) : IDisposable
    {
        public void Dispose() => Owner.Dispose();
    }
}
