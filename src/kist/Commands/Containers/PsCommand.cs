using System.CommandLine;
using System.Globalization;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist ps</c>: the containers of this state directory.</summary>
static class PsCommand
{
    public static Command Create()
    {
        var all = new Option<bool>("--all", "-a") { Description = "Show also containers that have ended" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print identifiers only" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var state = StateOption.Create();
        var command = new Command("ps", "List containers") { all, quiet, json, state };
        command.SetAction(parse =>
        {
            var records = parse.OpenContainers(state).All().Select(f => f.Record)
                .Where(r => parse.GetValue(all) || r.Status is ContainerStatus.Starting or ContainerStatus.Running)
                .ToList();
            if (parse.GetValue(json))
                Console.Out.WriteLine(ContainerJson.Write(records));
            else if (parse.GetValue(quiet))
                records.ForEach(r => Console.Out.WriteLine(r.ShortId));
            else
                PrintTable(records);
            return ExitCode.Success;
        });
        return command;
    }

    private static void PrintTable(List<ContainerRecord> records)
    {
        var rows = records.ConvertAll(r => (string[])[r.ShortId, r.Image, Describe(r), r.Platform ?? "-", Age(r.Created), r.Name]);
        TextTable.Print(["CONTAINER ID", "IMAGE", "STATUS", "PLATFORM", "CREATED", "NAMES"], rows);
    }

    private static string Describe(ContainerRecord record) => record.Status switch
    {
        ContainerStatus.Exited => string.Create(CultureInfo.InvariantCulture, $"Exited ({record.ExitCode})"),
        var status => status.ToString(),
    };

    private static string Age(DateTimeOffset created)
    {
        var age = TimeProvider.System.GetUtcNow() - created;
        return age switch
        {
            { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0} seconds ago"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:0} minutes ago"),
            { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:0} hours ago"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:0} days ago"),
        };
    }
}
