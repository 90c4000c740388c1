using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist audit</c>: what a broker decided and why, and the proof that nothing of it was changed.</summary>
static class AuditCommand
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("audit", "Search, show, export and verify a key broker's audit log.")
    {
        List(), Show(), Head(), Export(), Verify(),
    };

    private static Option<bool> JsonOption() => new("--json") { Description = "Print JSON" };

    private static Command List()
    {
        var kind = new Option<string?>("--kind") { Description = "attest, resource.read, resource.write, policy.resource.set, …", HelpName = "KIND" };
        var outcome = new Option<string?>("--outcome") { Description = "allowed, denied or failed", HelpName = "OUTCOME" };
        var resource = new Option<string?>("--resource") { Description = "A secret's repository/type/tag, a policy's scope, a reference value's name", HelpName = "NAME" };
        var workload = new Option<string?>("--workload") { Description = "Thumbprint of a guest's key", HelpName = "ID" };
        var tenant = new Option<string?>("--tenant") { Description = "A tenant's name", HelpName = "TENANT" };
        var actor = new Option<string?>("--actor") { Description = "An administrator's name", HelpName = "NAME" };
        var tee = new Option<string?>("--tee") { Description = "A TEE's name", HelpName = "TEE" };
        var since = new Option<DateTimeOffset?>("--since") { Description = "From this time on", HelpName = "TIME" };
        var until = new Option<DateTimeOffset?>("--until") { Description = "Before this time", HelpName = "TIME" };
        var limit = new Option<int>("--limit") { Description = "How many, the latest first", DefaultValueFactory = _ => 50, HelpName = "N" };
        var json = JsonOption();
        return BrokerConnection.Command(
            "list", "Search the audit log, latest entries first.", [kind, outcome, resource, workload, tenant, actor, tee, since, until, limit, json], async (parse, client, cancellationToken) =>
        {
            var entries = await client.SearchAuditAsync(
                new AuditSearch
                {
                    Kind = parse.GetValue(kind),
                    Outcome = parse.GetValue(outcome),
                    Resource = parse.GetValue(resource),
                    Workload = parse.GetValue(workload),
                    Tenant = parse.GetValue(tenant),
                    Actor = parse.GetValue(actor),
                    Tee = parse.GetValue(tee),
                    From = parse.GetValue(since),
                    Until = parse.GetValue(until),
                    Limit = parse.GetValue(limit),
                },
                cancellationToken);
            if (parse.GetValue(json))
            {
                foreach (var entry in entries)
                    Console.Out.WriteLine(entry.Entry);
                return ExitCode.Success;
            }

            TextTable.Print(["ENTRY", "TIME", "WHAT", "OUTCOME", "SUBJECT", "WHO", "CODE", "CORRELATION ID"], [.. entries.Select(Row)]);
            return ExitCode.Success;
        });
    }

    private static Command Show()
    {
        var id = new Argument<string>("ID") { Description = "An entry's number, or the correlation id that a peer was told" };
        var json = JsonOption();
        return BrokerConnection.Command("show", "Show an entry, with the verdicts it links to.", [id, json], async (parse, client, cancellationToken) =>
        {
            var text = parse.GetRequiredValue(id);
            var entries = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
                ? (await client.ListAuditEntriesAsync(sequence, 1, cancellationToken)).Where(e => e.Sequence == sequence).ToList()
                : [.. await client.SearchAuditAsync(new AuditSearch { Correlation = text }, cancellationToken)];
            if (entries.Count == 0)
                throw new OperationFailedException("show an audit entry", text, "there is none", "kist audit list");
            foreach (var entry in entries)
                await ShowAsync(client, entry, parse.GetValue(json), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Head()
    {
        return BrokerConnection.Command("head", "Print the signed head of the log: keep it to check the log against later.", [], async (_, client, cancellationToken) =>
        {
            Output.Json(await client.GetAuditHeadAsync(cancellationToken));
            return ExitCode.Success;
        });
    }

    private static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "Where the log goes" };
        return BrokerConnection.Command("export", "Write the whole log to a file that can be verified without the broker.", [file], async (parse, client, cancellationToken) =>
        {
            var path = parse.GetRequiredValue(file);
            AuditTreeHead head;
            await using (var output = new StreamWriter(path, append: false, new UTF8Encoding(false)))
                head = await AuditBundle.ExportAsync(client, output, cancellationToken);
            Terminal.Note($"wrote {head.Size} entries, root {head.Root}");
            return ExitCode.Success;
        });
    }

    private static Command Verify()
    {
        var file = new Argument<string>("FILE") { Description = "What kist audit export wrote" };
        var key = new Option<string?>("--key") { Description = "File with the key that must have signed the head (JWK); else the file's own is believed", HelpName = "FILE" };
        var earlier = new Option<string?>("--earlier-head") { Description = "File with a head kept from before (kist audit head), which the log must still begin with", HelpName = "FILE" };
        var json = JsonOption();
        var command = new Command("verify", "Verify an exported log offline: status 3 if any entry was changed, removed or added.") { file, key, earlier, json };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var signer = parse.GetValue(key) is { } keyFile ? JsonWebKey.Parse(await File.ReadAllBytesAsync(keyFile, cancellationToken)) : null;
            var head = parse.GetValue(earlier) is { } headFile ? KbsJson.Read<AuditTreeHead>(await File.ReadAllBytesAsync(headFile, cancellationToken), 65536) : null;
            using var input = new StreamReader(parse.GetRequiredValue(file), new UTF8Encoding(false, throwOnInvalidBytes: true));
            var report = await AuditBundle.VerifyAsync(input, signer, head, cancellationToken);
            Print(report, parse.GetValue(json));
            return report.Holds ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    private static void Print(AuditReport report, bool json)
    {
        if (json)
        {
            using var output = Console.OpenStandardOutput();
            using (var writer = new Utf8JsonWriter(output, Indented))
            {
                writer.WriteStartObject();
                writer.WriteBoolean("holds", report.Holds);
                writer.WriteNumber("begins", report.Begins);
                writer.WriteNumber("entries", report.Entries);
                writer.WriteString("root", report.Head.Root);
                writer.WriteString("key", report.KeyThumbprint);
                writer.WriteBoolean("key_was_given", report.KeyWasGiven);
                if (report.EarlierHolds is { } holds)
                    writer.WriteBoolean("earlier_head_holds", holds);
                writer.WriteStartArray("problems");
                foreach (var problem in report.Problems)
                    writer.WriteStringValue(problem);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            output.WriteByte((byte)'\n');
            return;
        }

        Console.Out.WriteLine(report.Holds ? Terminal.Green("the log holds") : Terminal.Red("the log does NOT hold"));
        Console.Out.WriteLine($"entries:  {report.Entries}{(report.Begins == 0 ? "" : $", after {report.Begins} that were removed under a signed checkpoint")}");
        Console.Out.WriteLine($"root:     {report.Head.Root}, signed {Output.Time(report.Head.At)}");
        Console.Out.WriteLine($"key:      {report.KeyThumbprint}{(report.KeyWasGiven ? "" : " (the file's own: give --key to be sure whose it is)")}");
        Console.Out.WriteLine($"earlier:  {(report.EarlierHolds is null ? "not checked: no earlier head was given, or only one over entries that were removed since" : report.EarlierHolds.Value ? "the log begins with it" : "the log does NOT begin with it")}");
        foreach (var problem in report.Problems)
            Console.Out.WriteLine($"  {problem}");
    }

    private static string[] Row(AuditEntryDocument document)
    {
        using var entry = JsonDocument.Parse(document.Entry);
        string Text(string name) => entry.RootElement.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
        var who = Text("actor") is { Length: > 0 } actor ? actor : Text("workload") is { Length: > 12 } workload ? workload[..12] : Text("peer");
        return
        [
            Output.Number(document.Sequence), Output.Time(entry.RootElement.GetProperty("at").GetDateTimeOffset()), Text("kind"), Text("outcome"),
            Text("resource") is { Length: > 0 } resource ? resource : Text("tee"), who, Text("code"), Text("correlation"),
        ];
    }

    private static async Task ShowAsync(KeyBrokerAdminClient client, AuditEntryDocument document, bool json, CancellationToken cancellationToken)
    {
        using var entry = JsonDocument.Parse(document.Entry);
        if (json)
        {
            Console.Out.WriteLine(document.Entry);
            return;
        }

        await using var output = Console.OpenStandardOutput();
        await using (var writer = new Utf8JsonWriter(output, Indented))
            entry.RootElement.WriteTo(writer);
        await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
        if (!entry.RootElement.TryGetProperty("attachments", out var attachments))
            return;
        foreach (var attachment in attachments.EnumerateObject().Where(a => a.Name.StartsWith("verdict.", StringComparison.Ordinal) || a.Name == "policy"))
        {
            await output.WriteAsync(Encoding.UTF8.GetBytes($"\n{attachment.Name} {attachment.Value.GetString()}\n"), cancellationToken);
            await output.WriteAsync(await client.GetAuditAttachmentAsync(attachment.Value.GetString()!, cancellationToken), cancellationToken);
        }
    }
}
