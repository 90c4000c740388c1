using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy test-cases": runs files of conformance cases in OPA's format.</summary>
static class TestCasesCommand
{
    private const string Variable = "KIST_OPA_CASES";

    private static readonly Argument<string[]> s_files = new("FILE")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = $"YAML or JSON files {{cases: [{{note, query, modules, data, input, want_result, …}}]}}, or directories of them; the one that {Variable} names if none are given.",
    };

    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_json = PolicyFiles.Json();

    public static Command Create()
    {
        var command = new Command("test-cases", "Run conformance cases in the format of OPA's own.") { s_files, s_v0, s_json };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string[] given = parse.GetValue(s_files) is { Length: > 0 } files ? files : [.. Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? [folder] : Array.Empty<string>()];
        if (given.Length == 0)
        {
            Terminal.Error($"no cases: name files or directories, or set {Variable}");
            return ExitCode.Usage;
        }

        var (passed, failed) = (0, 0);
        foreach (var file in given.SelectMany(Files))
        {
            var version = parse.GetValue(s_v0) ? RegoVersion.V0 : ConformanceCase.VersionOf(file);
            foreach (var testCase in ConformanceCase.ReadAll(PolicyFiles.ReadText(file)))
            {
                var problem = testCase.Run(version);
                if (problem is null)
                    passed++;
                else
                    failed++;
                Print(file, testCase.Note, problem, parse.GetValue(s_json));
            }
        }

        if (!parse.GetValue(s_json))
            Console.Out.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static IEnumerable<string> Files(string path) => !Directory.Exists(path)
        ? [path]
        : Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is ".yaml" or ".yml" or ".json").Order(StringComparer.Ordinal);

    private static void Print(string file, string note, string? problem, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(RegoValue.ObjectOf(
                ("file", RegoValue.Of(file)),
                ("note", RegoValue.Of(note)),
                ("pass", RegoValue.Of(problem is null)),
                ("problem", problem is null ? RegoValue.Null : RegoValue.Of(problem))).ToJson());
        }
        else if (problem is not null)
        {
            Console.Out.WriteLine($"{Terminal.Red("FAIL")} {note} ({file})\n  {problem.ReplaceLineEndings("\n  ")}");
        }
    }
}
