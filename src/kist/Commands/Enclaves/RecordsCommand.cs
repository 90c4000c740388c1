using System.CommandLine;
using System.Text.Json.Nodes;
using Kist.Enclaves.Attestation;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>"kist enclave records": what every challenge found.</summary>
static class RecordsCommand
{
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly Option<string?> s_state = StateOption.Create();

    public static Command Create()
    {
        var command = new Command("records", "Print the launch measurements that challenges found, oldest first.") { s_json, s_state };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var records = parse.Records(s_state).Read();
        if (parse.GetValue(s_json))
        {
            Console.Out.WriteLine(new JsonArray([.. records.Select(ToJson)]).ToJsonString());
            return ExitCode.Success;
        }

        foreach (var record in records)
            Console.Out.WriteLine($"{record.Time:u}  {record.Address}  {(record.Accepted ? "accepted" : "refused")}{(record.Simulated ? " (simulated)" : "")}  {record.MrEnclave ?? "-"}{(record.Genuine ? "" : " (not genuine)")}  {record.Reason}");
        return ExitCode.Success;
    }

    private static JsonNode ToJson(LaunchRecord record) => new JsonObject
    {
        ["time"] = record.Time.ToString("O"),
        ["address"] = record.Address,
        ["reference"] = record.Reference,
        ["accepted"] = record.Accepted,
        ["reason"] = record.Reason,
        ["simulated"] = record.Simulated,
        ["genuine"] = record.Genuine,
        ["mrEnclave"] = record.MrEnclave,
        ["mrSigner"] = record.MrSigner,
        ["product"] = record.Product,
        ["version"] = record.Version,
        ["debug"] = record.Debug,
    };
}
