using System.CommandLine;
using System.Security.Cryptography;
using Kist.Enclaves.Signing;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx keygen": a signing key.</summary>
static class KeyCommand
{
    private static readonly Option<FileInfo> s_out = new("--out", "-o") { Description = "Where to write the private key, PEM.", Required = true };
    private static readonly Option<FileInfo?> s_public = new("--public-out") { Description = "Where to write the public key, PEM." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("keygen", "Generate an enclave signing key: RSA-3072 with public exponent 3.") { s_out, s_public, s_json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        using var key = EnclaveSigningKey.Generate();
        var pem = key.ExportPem();
        try
        {
            SgxFiles.WriteSecret(parse.GetValue(s_out)!, pem);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }

        if (parse.GetValue(s_public) is { } file)
            File.WriteAllText(file.FullName, key.ExportPublicPem());
        new SgxOutput(parse.GetValue(s_json)).Add("mrsigner", "mrsigner", key.MrSigner()).Print();
        return ExitCode.Success;
    }
}
