using System.Collections;
using System.CommandLine;
using Kist.Linux.Enclaves;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>"kist enclave pal": runs a program in an enclave runtime behind rune's Platform Abstraction Layer.</summary>
static class PalCommand
{
    private static readonly Option<FileInfo> s_runtime = new("--runtime") { Description = "The enclave runtime's shared library. It is loaded into this process, and trusted.", Required = true };
    private static readonly Option<string> s_args = new("--args") { Description = "What the runtime is told, in its own words.", DefaultValueFactory = _ => "" };
    private static readonly Option<string> s_level = new("--log-level") { Description = "trace, debug, info, warning, error, fatal or off.", DefaultValueFactory = _ => "info" };
    private static readonly Argument<string[]> s_program = new("PROGRAM") { Description = "The program and its arguments.", Arity = ArgumentArity.OneOrMore };

    public static Command Create()
    {
        var command = new Command("pal", "Run a program in an enclave runtime (Occlum, skeleton and others: PAL version 1 to 3).") { s_runtime, s_args, s_level, s_program };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        using var runtime = EnclaveRuntimeLibrary.Load(parse.GetValue(s_runtime)!.FullName);
        runtime.Initialize(parse.GetValue(s_args)!, parse.GetValue(s_level)!);
        var program = parse.GetValue(s_program)!;
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => $"{e.Key}={e.Value}");
        return runtime.Run(program[0], program, environment, (0, 1, 2));
    }
}
