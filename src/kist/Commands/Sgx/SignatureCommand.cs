using System.CommandLine;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx catsig": second step of signing, with the signature that came back.</summary>
static class SignatureCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "The enclave that the material was made from." };
    private static readonly Option<FileInfo> s_material = new("--material") { Description = "What gendata wrote.", Required = true };
    private static readonly Option<FileInfo> s_signature = new("--signature") { Description = "Its signature, 384 bytes.", Required = true };
    private static readonly Option<FileInfo> s_key = new("--public-key") { Description = "The signer's public key, PEM.", Required = true };
    private static readonly Option<FileInfo> s_out = new("--out", "-o") { Description = "As of kist sgx sign.", Required = true };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("catsig", "Join an enclave with a signature that was made elsewhere.")
        {
            s_file, s_material, s_signature, s_key, s_out, s_json,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var sigstruct = SigstructComposer.Assemble(
            SgxFiles.Read(parse.GetValue(s_material)!, Sigstruct.SignedSize),
            EnclaveSigningKey.ModulusFromPem(SgxFiles.Read(parse.GetValue(s_key)!, SgxFiles.MaxKeyBytes)),
            SgxFiles.Read(parse.GetValue(s_signature)!, Sigstruct.RsaSize));
        if (!sigstruct.EnclaveHash.SequenceEqual(enclave.MrEnclave))
        {
            throw new OperationFailedException(
                "join signature", parse.GetValue(s_file)!.FullName, "the material was made from another enclave",
                "run kist sgx gendata on this file and have that signed");
        }

        File.WriteAllBytes(parse.GetValue(s_out)!.FullName, enclave.WithSignature(sigstruct));
        SigstructOutput.Print(sigstruct, parse.GetValue(s_json));
        return ExitCode.Success;
    }
}
