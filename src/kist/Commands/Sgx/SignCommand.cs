using System.CommandLine;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx sign": an enclave signed with a key at hand.</summary>
static class SignCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<FileInfo?> s_key = new("--key") { Description = "Signing key, PEM (see kist sgx keygen)." };
    private static readonly Option<string?> s_module = new("--pkcs11-module") { Description = "Library of a PKCS#11 token that holds the key, in place of --key." };
    private static readonly Option<string?> s_token = new("--token") { Description = "Label of the token." };
    private static readonly Option<string?> s_label = new("--key-label") { Description = "Label of the key in the token." };
    private static readonly Option<FileInfo?> s_pin = new("--pin-file") { Description = "File with the token's PIN." };
    private static readonly Option<FileInfo> s_out = new("--out", "-o")
    {
        Description = "Where to write: the signed ELF file, or the SIGSTRUCT of an SGXS stream.",
        Required = true,
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly SigningOptions s_signing = new();

    public static Command Create()
    {
        var command = new Command("sign", "Sign an enclave: RSA-3072 with public exponent 3.")
        {
            s_file, s_key, s_module, s_token, s_label, s_pin, s_out, s_json,
        };
        command.Validators.Add(result =>
        {
            var token = result.GetValue(s_module) is not null && result.GetValue(s_token) is not null && result.GetValue(s_label) is not null && result.GetValue(s_pin) is not null;
            if (token == (result.GetValue(s_key) is not null))
                result.AddError("give either --key, or --pkcs11-module, --token, --key-label and --pin-file");
        });
        s_signing.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var fields = s_signing.Fields(parse, enclave);
        using var secret = new SecretFile(parse.GetValue(s_key) ?? parse.GetValue(s_pin)!);
        var sigstruct = parse.GetValue(s_module) is { } module
            ? SignWithToken(parse, module, fields, secret.Line)
            : SignWithKey(fields, secret.Bytes);
        File.WriteAllBytes(parse.GetValue(s_out)!.FullName, enclave.WithSignature(sigstruct));
        SigstructOutput.Print(sigstruct, parse.GetValue(s_json));
        return ExitCode.Success;
    }

    private static Sigstruct SignWithKey(SigstructFields fields, ReadOnlySpan<byte> pem)
    {
        using var key = EnclaveSigningKey.FromPem(pem);
        return SigstructComposer.Sign(fields, key);
    }

    private static Sigstruct SignWithToken(ParseResult parse, string module, SigstructFields fields, ReadOnlySpan<byte> pin)
    {
        using var signer = Pkcs11Signer.Open(module, parse.GetValue(s_token)!, pin, parse.GetValue(s_label)!);
        return SigstructComposer.Sign(fields, signer);
    }
}
