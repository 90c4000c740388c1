using System.CommandLine;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy fmt": lays policies out.</summary>
static class FormatCommand
{
    private static readonly Argument<string[]> s_modules = PolicyFiles.Modules();
    private static readonly Option<bool> s_check = new("--check") { Description = "Change and print nothing; name the files that are laid out otherwise, and fail if there are any." };
    private static readonly Option<bool> s_write = new("--write", "-w") { Description = "Write the files instead of printing them." };
    private static readonly Option<bool> s_v0 = PolicyFiles.V0();
    private static readonly Option<bool> s_json = PolicyFiles.Json();

    public static Command Create()
    {
        var command = new Command("fmt", "Lay policies out: white space only, nothing else is changed.") { s_modules, s_check, s_write, s_v0, s_json };
        command.SetAction((parse, _) => Task.FromResult(Run(parse)));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var modules = PolicyFiles.ReadModules(parse.GetValue(s_modules) ?? []);
        if (modules.Count == 0)
        {
            Terminal.Error("no modules to format");
            return ExitCode.Usage;
        }

        List<(RegoModule Module, string Text)> formatted;
        try
        {
            var version = parse.GetValue(s_v0) ? RegoVersion.V0 : RegoVersion.V1;
            formatted = [.. modules.Select(m => (m, RegoFormatter.Format(m, version)))];
        }
        catch (RegoException e)
        {
            PolicyErrors.Print(e);
            return ExitCode.Malformed;
        }

        var changed = formatted.Where(f => f.Module.Text != f.Text).ToList();
        if (parse.GetValue(s_write))
            changed.ForEach(f => Replace(f.Module.Name, f.Text));
        if (parse.GetValue(s_json))
            Console.Out.WriteLine(RegoValue.ObjectOf(("changed", RegoValue.ArrayOf([.. changed.Select(f => RegoValue.Of(f.Module.Name))]))).ToJson());
        else if (parse.GetValue(s_check) || parse.GetValue(s_write))
            changed.ForEach(f => Console.Out.WriteLine(f.Module.Name));
        else
            formatted.ForEach(f => Console.Out.Write(f.Text));
        return parse.GetValue(s_check) && changed.Count > 0 ? ExitCode.Refused : ExitCode.Success;
    }

    /// <summary>Writes a file as a whole or not at all, with the mode it had.</summary>
    private static void Replace(string path, string text)
    {
        var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        var next = target + ".kist-fmt";
        File.WriteAllText(next, text);
        File.SetUnixFileMode(next, File.GetUnixFileMode(target));
        File.Move(next, target, overwrite: true);
    }
}
