using System.CommandLine;
using System.Security.Cryptography;
using Kist.Enclaves.Signing;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx sign": an enclave signed with a key at hand.</summary>
static class SignCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<FileInfo> s_key = new("--key") { Description = "Signing key, PEM (see kist sgx keygen).", Required = true };
    private static readonly Option<FileInfo> s_out = new("--out", "-o")
    {
        Description = "Where to write: the signed ELF file, or the SIGSTRUCT of an SGXS stream.",
        Required = true,
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly SigningOptions s_signing = new();

    public static Command Create()
    {
        var command = new Command("sign", "Sign an enclave: RSA-3072 with public exponent 3.") { s_file, s_key, s_out, s_json };
        s_signing.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var fields = s_signing.Fields(parse, enclave);
        var pem = SgxFiles.Read(parse.GetValue(s_key)!, SgxFiles.MaxKeyBytes);
        try
        {
            using var key = EnclaveSigningKey.FromPem(pem);
            var sigstruct = SigstructComposer.Sign(fields, key);
            File.WriteAllBytes(parse.GetValue(s_out)!.FullName, enclave.WithSignature(sigstruct));
            SigstructOutput.Print(sigstruct, parse.GetValue(s_json));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }

        return ExitCode.Success;
    }
}
