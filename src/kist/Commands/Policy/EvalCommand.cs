using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy eval": one query, as OPA's eval command answers it.</summary>
static class EvalCommand
{
    private static readonly Argument<string> s_query = new("QUERY") { Description = "Such as data.policy.allow." };
    private static readonly Argument<string[]> s_modules = PolicyFiles.Modules();
    private static readonly Option<string[]> s_data = PolicyFiles.Data();
    private static readonly Option<string?> s_input = PolicyFiles.Input();
    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_strict = PolicyFiles.Strict();
    private static readonly Option<bool> s_json = PolicyFiles.Json();
    private static readonly Option<string> s_format = new("--format", "-f") { Description = "json, or values: a line for each.", DefaultValueFactory = _ => "values" };
    private static readonly Option<bool> s_fail = new("--fail") { Description = "Exit with 3 if the query is undefined or not true." };

    public static Command Create()
    {
        s_format.AcceptOnlyFromAmong("json", "values");
        var command = new Command("eval", "Evaluate a query over policies, data and input.")
        {
            s_query, s_modules, s_data, s_input, s_v0, s_strict, s_format, s_json, s_fail,
        };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var json = parse.GetValue(s_json) || parse.GetValue(s_format) == "json";
        try
        {
            var result = Evaluate(parse);
            foreach (var line in result.Prints)
                Console.Error.WriteLine(line);
            Print(result, json);
            return parse.GetValue(s_fail) && !result.IsTrue ? ExitCode.Refused : ExitCode.Success;
        }
        catch (RegoException e)
        {
            if (json)
                Console.Out.WriteLine(PolicyJson.OfErrors(e).ToJson());
            else
                PolicyErrors.Print(e);
            return PolicyErrors.ExitCodeOf(e);
        }
    }

    private static RegoResult Evaluate(ParseResult parse)
    {
        var (data, fromData) = PolicyFiles.ReadData(parse.GetValue(s_data) ?? []);
        var modules = PolicyFiles.ReadModules(parse.GetValue(s_modules) ?? []);
        var program = RegoProgram.Compile(
            [.. modules, .. fromData], new RegoCompileOptions { Version = parse.GetValue(s_v0) ? RegoVersion.V0 : RegoVersion.V1 });
        return program.Evaluate(parse.GetValue(s_query)!, new RegoEvaluationOptions
        {
            Input = PolicyFiles.ReadInput(parse.GetValue(s_input)),
            Data = data,
            StrictBuiltInErrors = parse.GetValue(s_strict),
            Runtime = PolicyRuntime.Value,
        });
    }

    private static void Print(RegoResult result, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(PolicyJson.OfResult(result).ToJson());
            return;
        }

        if (result.Rows.Length == 0)
            Terminal.Note("undefined");
        foreach (var row in result.Rows)
        {
            foreach (var (name, value) in row.Bindings)
                Console.Out.WriteLine($"{name} = {value.ToJson()}");
            foreach (var e in row.Expressions.Where(e => e.Text.Length > 0))
                Console.Out.WriteLine(e.Value.ToJson());
        }
    }
}
