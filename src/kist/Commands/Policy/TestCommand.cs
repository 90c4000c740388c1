using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy test": evaluates every rule whose name begins with test_.</summary>
static class TestCommand
{
    private static readonly Argument<string[]> s_modules = PolicyFiles.Modules();
    private static readonly Option<string[]> s_data = PolicyFiles.Data();
    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_json = PolicyFiles.Json();
    private static readonly Option<bool> s_coverage = new("--coverage") { Description = "Say which lines the tests have not reached; files of tests themselves are left out." };
    private static readonly Option<double?> s_threshold = new("--threshold") { Description = "Fail if less than this percentage of lines was reached; implies --coverage." };

    public static Command Create()
    {
        var command = new Command("test", "Run the rules named test_… of policies.") { s_modules, s_data, s_v0, s_json, s_coverage, s_threshold };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var (data, fromData) = PolicyFiles.ReadData(parse.GetValue(s_data) ?? []);
        var modules = PolicyFiles.ReadModules(parse.GetValue(s_modules) ?? []);
        var version = parse.GetValue(s_v0) ? RegoVersion.V0 : RegoVersion.V1;
        RegoProgram program;
        try
        {
            program = RegoProgram.Compile([.. modules, .. fromData], new RegoCompileOptions { Version = version });
        }
        catch (RegoException e)
        {
            PolicyErrors.Print(e);
            return ExitCode.Malformed;
        }

        var threshold = parse.GetValue(s_threshold);
        var coverage = parse.GetValue(s_coverage) || threshold is not null ? new RegoCoverage() : null;
        var outcomes = program.RuleNames.Where(IsTest).Select(name => Try(program, name, data, coverage)).ToList();
        if (outcomes.Count == 0)
        {
            Terminal.Error("no rule's name begins with test_");
            return ExitCode.Usage;
        }

        var report = coverage is null ? null : new CoverageReport(coverage.Report(modules.Concat(fromData).Where(m => !IsTestFile(m.Name)), version));
        Print(outcomes, report, parse.GetValue(s_json));
        var isEnough = threshold is null || report!.Percent >= threshold;
        if (!isEnough)
            Terminal.Error($"the tests reach {report!.PercentText} of the lines, less than {threshold}%");
        return isEnough && outcomes.TrueForAll(o => o.Passed) ? ExitCode.Success : ExitCode.Refused;
    }

    private static bool IsTest(string rule) => rule[(rule.LastIndexOf('.') + 1)..].StartsWith("test_", StringComparison.Ordinal);

    private static bool IsTestFile(string name) => name.EndsWith("_test.rego", StringComparison.Ordinal);

    private static Outcome Try(RegoProgram program, string rule, RegoValue? data, RegoCoverage? coverage)
    {
        try
        {
            var result = program.Evaluate(rule, new RegoEvaluationOptions { Data = data, Trace = true, Coverage = coverage, Runtime = PolicyRuntime.Value });
            return new Outcome(rule, result.IsTrue, null, result);
        }
        catch (RegoException e)
        {
            return new Outcome(rule, false, e.Message, null);
        }
    }

    private static void Print(List<Outcome> outcomes, CoverageReport? coverage, bool json)
    {
        if (json)
        {
            var tests = RegoValue.ArrayOf([.. outcomes.Select(o => RegoValue.ObjectOf(
                ("name", RegoValue.Of(o.Rule)), ("pass", RegoValue.Of(o.Passed)), ("error", o.Error is null ? RegoValue.Null : RegoValue.Of(o.Error))))]);
            Console.Out.WriteLine((coverage is null ? tests : RegoValue.ObjectOf(("tests", tests), ("coverage", coverage.ToValue()))).ToJson());
            return;
        }

        foreach (var o in outcomes)
        {
            Console.Out.WriteLine($"{o.Rule}: {(o.Passed ? Terminal.Green("PASS") : Terminal.Red("FAIL"))}");
            if (o.Error is not null)
                Console.Out.WriteLine($"  {o.Error}");
            foreach (var line in o.Passed ? [] : o.Result?.Prints ?? [])
                Console.Out.WriteLine($"  {line}");
            foreach (var e in o.Passed ? [] : o.Result?.Trace?.Failures ?? [])
                Console.Out.WriteLine($"  {Terminal.Dim(e.Location.ToString())} {e.Text}   {string.Join(", ", e.Values.Select(v => $"{v.Term} = {v.Value?.ToJson() ?? "undefined"}"))}");
        }

        foreach (var line in coverage?.Lines() ?? [])
            Console.Out.WriteLine(line);
        Console.Out.WriteLine($"{outcomes.Count(o => o.Passed)} passed, {outcomes.Count(o => !o.Passed)} failed");
    }

    private sealed record Outcome(string Rule, bool Passed, string? Error, RegoResult? Result);
}
