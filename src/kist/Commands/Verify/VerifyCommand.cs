using System.CommandLine;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>
/// "kist verify": judges evidence of any TEE. Exit code 0 if all was accepted, 3 if some was refused, 4 if some could not be
/// read.
/// </summary>
static class VerifyCommand
{
    private static readonly Argument<string[]> s_files = new("FILE")
    {
        Description = "Evidence: bytes, hexadecimal, base64, PEM or JSON; - for standard input.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print each verdict as a JSON object." };
    private static readonly Option<bool> s_quiet = new("--quiet", "-q") { Description = "Print one line a file." };
    private static readonly Option<string?> s_explain = new("--explain") { Description = "Explain a finding's code, such as tdx.tcb.status, and verify nothing." };
    private static readonly VerificationArguments s_arguments = new();

    public static Command Create()
    {
        var command = new Command("verify", "Judge attestation evidence, and say why.") { s_files, s_json, s_quiet, s_explain };
        s_arguments.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        if (parse.GetValue(s_explain) is { } code)
            return ExplainCode.Print(code, parse.GetValue(s_json));
        var files = parse.GetValue(s_files) ?? [];
        if (files.Length == 0)
        {
            Terminal.Error("no evidence was named");
            Terminal.Hint("kist verify FILE, or kist verify --explain CODE");
            return ExitCode.Usage;
        }

        var options = s_arguments.Options(parse);
        var binding = s_arguments.Binding(parse);
        var worst = ExitCode.Success;
        foreach (var file in files)
            worst = Math.Max(worst, VerifyFile(parse, file, binding, options));
        return worst;
    }

    private static int VerifyFile(ParseResult parse, string file, ExpectedBinding binding, VerificationOptions options)
    {
        try
        {
            var detected = s_arguments.Load(parse, file);
            var verdict = EvidenceVerifier.Verify(detected.Evidence, binding, options);
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(verdict, file);
            else if (parse.GetValue(s_quiet))
                VerdictOutput.PrintLine(verdict, file);
            else
                VerdictTree.Write(Console.Out, verdict, Terminal.OutputHasColour, file);
            return verdict.IsAccepted ? ExitCode.Success : ExitCode.Refused;
        }
        catch (MalformedDataException e)
        {
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(e, file);
            Terminal.Error($"{file}: {e.Message}");
            return ExitCode.Malformed;
        }
    }
}
