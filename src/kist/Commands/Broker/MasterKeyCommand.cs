using System.CommandLine;
using Kist.KeyBroker.Secrets;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist broker master-key</c> and <c>kist broker rotate-master-key</c>.</summary>
static class MasterKeyCommand
{
    private const string Locations =
        "FILE, pkcs11:token=LABEL;object=LABEL?module-path=LIBRARY&pin-source=FILE, vault:https://HOST/MOUNT/KEY?token-file=FILE, or awskms:KEY?region=REGION";

    public static Command Create() => new("master-key", "Show a broker's master key, or make one.") { Show(), Make() };

    public static Command Rotate()
    {
        var location = new Argument<string>("LOCATION") { Description = $"Where the new key is, on every replica: {Locations}" };
        return BrokerConnection.Command("rotate-master-key", "Change the master key while the broker runs, and wrap everything anew.", [location], async (parse, client, cancellationToken) =>
        {
            var status = await client.RotateMasterKeyAsync(parse.GetRequiredValue(location), cancellationToken);
            Terminal.Note($"{status.Current} wraps from now on");
            var count = await client.RewrapAsync(cancellationToken);
            Terminal.Note($"wrapped {count} versions of secrets anew");
            Terminal.Hint($"start each replica with --master-key {parse.GetRequiredValue(location)} from now on; then the earlier key is no longer needed");
            return ExitCode.Success;
        });
    }

    private static Command Show()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("show", "Show which master key wraps, and what each wraps.", [json], async (parse, client, cancellationToken) =>
        {
            var status = await client.GetMasterKeyAsync(cancellationToken);
            if (parse.GetValue(json))
            {
                Output.Json(status);
                return ExitCode.Success;
            }

            TextTable.Print(["KEY", "WRAPS", "SINCE", "LOCATION"], [.. status.Wrapped.Keys.Append(status.Current).Distinct().Order(StringComparer.Ordinal).Select(id => (string[])
            [
                id == status.Current ? $"{id} (in force)" : id,
                Output.Number(status.Wrapped.TryGetValue(id, out var count) ? count : 0),
                status.Changes.LastOrDefault(c => c.Id == id) is { } change ? $"{Output.Time(change.At)} by {change.By}" : "the start",
                status.Changes.LastOrDefault(c => c.Id == id)?.Location ?? "as the broker was started with",
            ])]);
            return ExitCode.Success;
        });
    }

    private static Command Make()
    {
        var location = new Argument<string>("LOCATION") { Description = "Where it is to be: FILE, or pkcs11:token=LABEL;object=LABEL?module-path=LIBRARY&pin-source=FILE" };
        var command = new Command("create", "Make a master key in a file or a PKCS#11 token, here.") { location };
        command.SetAction(parse =>
        {
            using var key = MasterKeyLocation.Create(parse.GetRequiredValue(location), TimeProvider.System);
            Console.Out.WriteLine(key.Id);
            return ExitCode.Success;
        });
        return command;
    }
}
