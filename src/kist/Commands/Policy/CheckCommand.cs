using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy check": do the modules compile?</summary>
static class CheckCommand
{
    private static readonly Argument<string[]> s_modules = PolicyFiles.Modules();
    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_json = PolicyFiles.Json();

    public static Command Create()
    {
        var command = new Command("check", "Parse and compile policies; report every error with its place.") { s_modules, s_v0, s_json };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var modules = PolicyFiles.ReadModules(parse.GetValue(s_modules) ?? []);
        if (modules.Count == 0)
        {
            Terminal.Error("no modules to check");
            return ExitCode.Usage;
        }

        try
        {
            var program = RegoProgram.Compile(modules, new RegoCompileOptions { Version = parse.GetValue(s_v0) ? RegoVersion.V0 : RegoVersion.V1 });
            if (parse.GetValue(s_json))
                Console.Out.WriteLine(RegoValue.ObjectOf(("rules", RegoValue.ArrayOf([.. program.RuleNames.Select(RegoValue.Of)]))).ToJson());
            else
                Terminal.Note($"{modules.Count} modules, {program.RuleNames.Count} rules: no errors");
            return ExitCode.Success;
        }
        catch (RegoException e)
        {
            if (parse.GetValue(s_json))
                Console.Out.WriteLine(PolicyJson.OfErrors(e).ToJson());
            else
                PolicyErrors.Print(e);
            return ExitCode.Malformed;
        }
    }
}
