using System.CommandLine;
using System.Security.Cryptography;
using Kist.Enclaves.Signing;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx gendata": first step of signing with a key that is kept elsewhere.</summary>
static class SigningMaterialCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<FileInfo> s_out = new("--out", "-o") { Description = "Where to write the 256 bytes to sign.", Required = true };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly SigningOptions s_signing = new();

    public static Command Create()
    {
        var command = new Command(
            "gendata", "Write what has to be signed (RSASSA-PKCS1-v1_5, SHA-256), for a key that is kept elsewhere.") { s_file, s_out, s_json };
        s_signing.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var material = SigstructComposer.SigningMaterial(s_signing.Fields(parse, enclave));
        File.WriteAllBytes(parse.GetValue(s_out)!.FullName, material);
        new SgxOutput(parse.GetValue(s_json))
            .Add("mrenclave", "mrenclave", enclave.MrEnclave)
            .Add("sha256", "sha256", SHA256.HashData(material))
            .Print();
        return ExitCode.Success;
    }
}
