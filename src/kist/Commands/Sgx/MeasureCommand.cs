using System.CommandLine;
using Kist.Enclaves.Images;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx measure": MRENCLAVE from a file.</summary>
static class MeasureCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create(string name = "measure")
    {
        var command = new Command(name, "Compute MRENCLAVE as the processor would.") { s_file, s_json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var output = new SgxOutput(parse.GetValue(s_json))
            .Add("mrenclave", "mrenclave", enclave.MrEnclave)
            .Add("format", "format", enclave.Kind == EnclaveFileKind.Elf ? "elf" : "sgxs");
        if (enclave.Sigstruct is { } sigstruct)
        {
            output.Add("signed_mrenclave", "signed mrenclave", sigstruct.EnclaveHash)
                .Add("matches_signature", "matches", sigstruct.EnclaveHash.SequenceEqual(enclave.MrEnclave));
        }

        output.Print();
        return ExitCode.Success;
    }
}
