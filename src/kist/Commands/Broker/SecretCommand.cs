using System.CommandLine;
using System.Security.Cryptography;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist secret</c>: secrets in a key broker. Nobody reads their values but attested workloads.</summary>
static class SecretCommand
{
    public static Command Create() => new("secret", "Store, list, delete and restore secrets in a key broker.")
    {
        Put(), List(), Versions(), Select(), Terms(), SealSecretCommand.Create(),
        Change("delete", "Delete a secret; it can be restored until it is purged.", (c, uri, ct) => c.DeleteResourceAsync(uri, ct), "deleted"),
        Change("restore", "Bring a deleted secret back.", (c, uri, ct) => c.RestoreResourceAsync(uri, ct), "restored"),
        Change("purge", "Erase a deleted secret with all its versions.", (c, uri, ct) => c.PurgeResourceAsync(uri, ct), "erased"),
    };

    private static Argument<string> Name() => new("NAME") { Description = "kbs:///repository/type/tag, or those three parts alone" };

    private static Command Put()
    {
        var name = Name();
        var file = new Argument<string>("FILE") { Description = "File with the secret's bytes, or - for standard input" };
        return BrokerConnection.Command("put", "Store a secret, or a new version of it.", [name, file], async (parse, client, cancellationToken) =>
        {
            var uri = ResourceUri.Parse(parse.GetRequiredValue(name));
            var secret = await Output.ReadAsync(parse.GetRequiredValue(file), KbsProtocol.MaxResourceBytes, cancellationToken);
            try
            {
                await client.PutResourceAsync(uri, secret, cancellationToken);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }

            Terminal.Note($"stored {uri}");
            return ExitCode.Success;
        });
    }

    private static Command List()
    {
        var deleted = new Option<bool>("--deleted") { Description = "List deleted secrets as well" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("list", "List secrets, without their values.", [deleted, json], async (parse, client, cancellationToken) =>
        {
            const int page = 500;
            var all = new List<ResourceDocument>();
            IReadOnlyList<ResourceDocument> some;
            do
            {
                some = await client.ListResourcesAsync(all.LastOrDefault()?.Path ?? "", page, parse.GetValue(deleted), cancellationToken);
                all.AddRange(some);
            }
            while (some.Count == page);
            if (parse.GetValue(json))
                Output.Json(new ResourceList { Resources = all });
            else
                TextTable.Print(["NAME", "VERSION", "BYTES", "CHANGED", "STATE"], all.ConvertAll(r => (string[])
                    [r.Path, Output.Number(r.Version), Output.Number(r.Size), Output.Time(r.UpdatedAt), r.DeletedAt is null ? "" : "deleted"]));
            return ExitCode.Success;
        });
    }

    private static Command Versions()
    {
        var name = Name();
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("versions", "List the versions of a secret, without their values.", [name, json], async (parse, client, cancellationToken) =>
        {
            var versions = await client.ListResourceVersionsAsync(ResourceUri.Parse(parse.GetRequiredValue(name)), cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new ResourceVersionList { Versions = versions });
            else
                TextTable.Print(["VERSION", "BYTES", "STORED", "BY"], [.. versions.Select(v => (string[])
                    [Output.Number(v.Version), Output.Number(v.Size), Output.Time(v.CreatedAt), v.CreatedBy])]);
            return ExitCode.Success;
        });
    }

    private static Command Select()
    {
        var name = Name();
        var version = new Argument<long>("VERSION") { Description = "The version to give out from now on" };
        return BrokerConnection.Command("select", "Give out an earlier version of a secret.", [name, version], async (parse, client, cancellationToken) =>
        {
            await client.SelectResourceVersionAsync(ResourceUri.Parse(parse.GetRequiredValue(name)), parse.GetRequiredValue(version), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Terms()
    {
        var name = Name();
        var reads = new Option<long?>("--max-reads") { Description = "Give it out at most so often in all", HelpName = "N" };
        var until = new Option<DateTimeOffset?>("--until") { Description = "Give it out until this time", HelpName = "TIME" };
        var derived = new Option<string?>("--derived-by") { Description = "Give each workload 32 bytes of its own, derived by this claim (init_data, tdx.quote.body.mr_td, …)", HelpName = "CLAIM" };
        var none = new Option<bool>("--none") { Description = "Lift the terms" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("terms", "Show, set or lift on what terms a secret is given out.", [name, reads, until, derived, none, json], async (parse, client, cancellationToken) =>
        {
            var uri = ResourceUri.Parse(parse.GetRequiredValue(name));
            if (parse.GetValue(none))
            {
                await client.DeleteResourceTermsAsync(uri, cancellationToken);
                return ExitCode.Success;
            }

            var wanted = new ResourceTermsDocument { MaxReads = parse.GetValue(reads), Until = parse.GetValue(until), DerivedBy = parse.GetValue(derived) };
            if (wanted is not { MaxReads: null, Until: null, DerivedBy: null })
                await client.SetResourceTermsAsync(uri, wanted, cancellationToken);
            var terms = await client.GetResourceTermsAsync(uri, cancellationToken);
            if (parse.GetValue(json))
                Output.Json(terms);
            else
                Console.Out.WriteLine(
                    $"given out {terms.Reads} times{(terms.MaxReads is { } max ? $" of {max}" : "")}{(terms.Until is { } end ? $", until {Output.Time(end)}" : "")}{(terms.DerivedBy is { } claim ? $", derived by {claim}" : "")}");
            return ExitCode.Success;
        });
    }

    private static Command Change(string verb, string description, Func<KeyBrokerAdminClient, ResourceUri, CancellationToken, Task> change, string done)
    {
        var name = Name();
        return BrokerConnection.Command(verb, description, [name], async (parse, client, cancellationToken) =>
        {
            var uri = ResourceUri.Parse(parse.GetRequiredValue(name));
            await change(client, uri, cancellationToken);
            Terminal.Note($"{done} {uri}");
            return ExitCode.Success;
        });
    }
}
