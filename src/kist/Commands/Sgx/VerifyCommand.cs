using System.CommandLine;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx verify": what EINIT would say, and whether it is the enclave and the signer that are expected.</summary>
static class VerifyCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "Enclave of the Intel SDK (ELF) or SGXS stream." };
    private static readonly Option<FileInfo?> s_sigstruct = new("--sigstruct") { Description = "SIGSTRUCT, where it is not in FILE." };
    private static readonly Option<string?> s_mrEnclave = new("--mrenclave") { Description = "Expected MRENCLAVE." };
    private static readonly Option<string?> s_mrSigner = new("--mrsigner") { Description = "Expected MRSIGNER." };
    private static readonly Option<bool> s_allowDebug = new("--allow-debug") { Description = "Accept an enclave that may be debugged." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("verify", "Verify an enclave's signature against its measurement.")
        {
            s_file, s_sigstruct, s_mrEnclave, s_mrSigner, s_allowDebug, s_json,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var enclave = SgxFiles.ReadEnclave(parse.GetValue(s_file)!);
        var sigstruct = parse.GetValue(s_sigstruct) is { } file ? SgxFiles.ReadSigstruct(file) : enclave.Sigstruct;
        if (sigstruct is null)
        {
            throw new OperationFailedException(
                "verify", parse.GetValue(s_file)!.FullName, "the enclave is not signed", "name its SIGSTRUCT by --sigstruct, or sign it");
        }

        var defect = FindDefect(parse, enclave, sigstruct);
        var output = new SgxOutput(parse.GetValue(s_json)).Add("accepted", "accepted", defect is null);
        output.Add("reason", "reason", defect);
        SigstructOutput.Add(output, sigstruct);
        output.Print();
        if (defect is null)
            return ExitCode.Success;
        Terminal.Error($"refused: {defect}");
        return ExitCode.Refused;
    }

    private static string? FindDefect(ParseResult parse, EnclaveFile enclave, Sigstruct sigstruct)
    {
        if (SigstructVerifier.FindDefect(sigstruct) is { } defect)
            return defect;
        if (!sigstruct.EnclaveHash.SequenceEqual(enclave.MrEnclave))
            return $"the signature is for {Convert.ToHexStringLower(sigstruct.EnclaveHash)}, the enclave is {Convert.ToHexStringLower(enclave.MrEnclave)}";
        if (parse.GetValue(s_mrEnclave) is { } expected && !Is(expected, enclave.MrEnclave))
            return $"MRENCLAVE is {Convert.ToHexStringLower(enclave.MrEnclave)}, not {expected}";
        if (parse.GetValue(s_mrSigner) is { } signer && !Is(signer, sigstruct.MrSigner()))
            return $"MRSIGNER is {Convert.ToHexStringLower(sigstruct.MrSigner())}, not {signer}";
        if ((sigstruct.IsDebugType || sigstruct.Attributes.IsDebug) && !parse.GetValue(s_allowDebug))
            return "the enclave is signed for debugging (--allow-debug accepts that)";
        return null;
    }

    private static bool Is(string expected, ReadOnlySpan<byte> actual) =>
        expected.Equals(Convert.ToHexStringLower(actual), StringComparison.OrdinalIgnoreCase);
}
