using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy explain": which rules were tried, which expression of each failed, and on what values.</summary>
static class ExplainCommand
{
    private static readonly Argument<string> s_query = new("QUERY") { Description = "Such as data.policy.allow." };
    private static readonly Argument<string[]> s_modules = PolicyFiles.Modules();
    private static readonly Option<string[]> s_data = PolicyFiles.Data();
    private static readonly Option<string?> s_input = PolicyFiles.Input();
    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_json = PolicyFiles.Json();

    public static Command Create()
    {
        var command = new Command("explain", "Evaluate a query and show why: each rule that was tried, what failed, and on what values.")
        {
            s_query, s_modules, s_data, s_input, s_v0, s_json,
        };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        try
        {
            var (data, fromData) = PolicyFiles.ReadData(parse.GetValue(s_data) ?? []);
            var modules = PolicyFiles.ReadModules(parse.GetValue(s_modules) ?? []);
            var program = RegoProgram.Compile([.. modules, .. fromData], new RegoCompileOptions { Version = parse.GetValue(s_v0) ? RegoVersion.V0 : RegoVersion.V1 });
            var result = program.Evaluate(parse.GetValue(s_query)!, new RegoEvaluationOptions
            {
                Input = PolicyFiles.ReadInput(parse.GetValue(s_input)),
                Data = data,
                Trace = true,
                Runtime = PolicyRuntime.Value,
            });
            if (parse.GetValue(s_json))
                Console.Out.WriteLine(Json(result).ToJson());
            else
                Print(result);
            return ExitCode.Success;
        }
        catch (RegoException e)
        {
            PolicyErrors.Print(e);
            return PolicyErrors.ExitCodeOf(e);
        }
    }

    private static void Print(RegoResult result)
    {
        Console.Out.WriteLine(result.Value is { } value ? Terminal.Bold(value.ToJson()) : Terminal.Yellow("undefined"));
        foreach (var e in result.Trace!.Events)
        {
            var indent = new string(' ', 2 * (e.Depth + 1));
            switch (e.Kind)
            {
                case RegoTraceKind.Enter:
                    Console.Out.WriteLine($"{indent}{e.Rule} {Terminal.Dim(e.Location.ToString())}");
                    break;
                case RegoTraceKind.Held:
                    Console.Out.WriteLine($"{indent}{Terminal.Green("holds")}");
                    break;
                case RegoTraceKind.Failed:
                    Console.Out.WriteLine($"{indent}{Terminal.Red("does not hold")}");
                    break;
                default:
                    Console.Out.WriteLine($"{indent}{Terminal.Red("✗")} {e.Text} {Terminal.Dim(e.Location.ToString())}");
                    foreach (var v in e.Values)
                        Console.Out.WriteLine($"{indent}    {v.Term} = {v.Value?.ToJson() ?? "undefined"}");
                    break;
            }
        }
    }

    private static RegoValue Json(RegoResult result)
    {
        var events = result.Trace!.Events.Select(e => RegoValue.ObjectOf(
            ("kind", RegoValue.Of(e.Kind.ToString().ToLowerInvariant())),
            ("depth", RegoValue.Of(e.Depth)),
            ("rule", RegoValue.Of(e.Rule)),
            ("location", PolicyJson.Location(e.Location)),
            ("text", RegoValue.Of(e.Text)),
            ("values", RegoValue.ArrayOf([.. e.Values.Select(Value)]))));
        return RegoValue.ObjectOf(
            ("defined", RegoValue.Of(result.Value is not null)), ("value", result.Value ?? RegoValue.Null), ("trace", RegoValue.ArrayOf([.. events])));
    }

    private static RegoValue Value(RegoTraceValue v) => RegoValue.ObjectOf(
        ("term", RegoValue.Of(v.Term)), ("defined", RegoValue.Of(v.Value is not null)), ("value", v.Value ?? RegoValue.Null));
}
