using System.CommandLine;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist broker tenant</c>: tenants of one broker, each with secrets, policies, reference values and administrators of its own.</summary>
static class TenantCommand
{
    public static Command Create() => new("tenant", "Make, list and close tenants of a broker.") { Open(), List(), Close() };

    private static Argument<string> Name() => new("NAME") { Description = "The tenant: a to z, 0 to 9 and -" };

    private static Command Open()
    {
        var name = Name();
        return BrokerConnection.Command("create", "Make a tenant, or open a closed one again.", [name], async (parse, client, cancellationToken) =>
        {
            await client.OpenTenantAsync(parse.GetRequiredValue(name), cancellationToken);
            Terminal.Note($"guests and administrators use the broker's address with /tenants/{parse.GetRequiredValue(name)} behind it");
            return ExitCode.Success;
        });
    }

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("list", "List tenants.", [json], async (parse, client, cancellationToken) =>
        {
            var tenants = await client.ListTenantsAsync(cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new TenantList { Tenants = tenants });
            else
                TextTable.Print(["NAME", "MADE", "BY", "STATE"], [.. tenants.Select(t => (string[])
                    [t.Name, Output.Time(t.CreatedAt), t.CreatedBy, t.ClosedAt is { } at ? $"closed {Output.Time(at)}" : "open"])]);
            return ExitCode.Success;
        });
    }

    private static Command Close()
    {
        var name = Name();
        return BrokerConnection.Command("close", "Give a tenant nothing more; nothing of it is deleted.", [name], async (parse, client, cancellationToken) =>
        {
            await client.CloseTenantAsync(parse.GetRequiredValue(name), cancellationToken);
            return ExitCode.Success;
        });
    }
}
