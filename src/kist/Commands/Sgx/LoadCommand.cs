using System.CommandLine;
using System.Globalization;
using Kist.Enclaves.Loading;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx load": loads a signed enclave into this machine's SGX and says what the processor thinks of it.</summary>
static class LoadCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Signed enclave of the Intel SDK (ELF)." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("load", "Load a signed enclave in hardware, and remove it again: does this machine's processor accept it?") { s_file, s_json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var file = parse.GetValue(s_file)!;
        var enclave = SgxFiles.ReadEnclave(file);
        if (enclave is not { Image: { } image, Attributes: { } attributes, Sigstruct: { } sigstruct })
            throw new OperationFailedException("load enclave", file.FullName, "it is not a signed ELF enclave", "sign it: kist sgx sign");
        using var loaded = HardwareEnclave.Load(image, attributes, sigstruct);
        new SgxOutput(parse.GetValue(s_json))
            .Add("mrenclave", "mrenclave", enclave.MrEnclave)
            .Add("mrsigner", "mrsigner", sigstruct.MrSigner())
            .Add("size", "size", image.EnclaveSize.ToString(CultureInfo.InvariantCulture))
            .Add("threads", "threads", loaded.Threads.ToString(CultureInfo.InvariantCulture))
            .Print();
        return ExitCode.Success;
    }
}
