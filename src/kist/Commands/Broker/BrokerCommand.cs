using System.CommandLine;
using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist broker</c>: running and administering a key broker.</summary>
static class BrokerCommand
{
    public static Command Create() => new("broker", "Run and administer a key broker.")
    {
        ServeCommand.Create(), Policy(), Token(), Rewrap(),
    };

    private static Command Policy() => new("policy", "Set, show and remove a broker's policies.") { PolicySet(), PolicyList(), PolicyDelete() };

    private static Argument<string> Kind()
    {
        var kind = new Argument<string>("KIND") { Description = "attestation or resource" };
        kind.AcceptOnlyFromAmong("attestation", "resource");
        return kind;
    }

    private static Option<string?> Scope() => new("--scope")
    {
        Description = "Of a resource policy: floor, a repository, or repository/type/tag (default: all resources). Of an attestation policy: its id, such as default_cpu",
        HelpName = "SCOPE",
    };

    private static Command PolicySet()
    {
        var kind = Kind();
        var file = new Argument<string>("FILE") { Description = "The policy in Rego, or - for standard input" };
        var scope = Scope();
        return BrokerConnection.Command("set", "Set a policy.", [kind, file, scope], async (parse, client, cancellationToken) =>
        {
            var text = Encoding.UTF8.GetString(await Output.ReadAsync(parse.GetRequiredValue(file), KbsProtocol.MaxPolicyBytes, cancellationToken));
            await (parse.GetRequiredValue(kind) == "resource"
                ? client.SetResourcePolicyAsync(parse.GetValue(scope) ?? "", text, cancellationToken)
                : client.SetAttestationPolicyAsync(parse.GetValue(scope) ?? "default_cpu", text, cancellationToken));
            return ExitCode.Success;
        });
    }

    private static Command PolicyList()
    {
        var kind = Kind();
        var scope = Scope();
        var history = new Option<bool>("--history") { Description = "All versions" };
        var text = new Option<bool>("--text") { Description = "Print the policies' text" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("list", "List policies in force, with the built-in ones.", [kind, scope, history, text, json], async (parse, client, cancellationToken) =>
        {
            var policies = await client.ListPoliciesAsync(parse.GetRequiredValue(kind), parse.GetValue(scope), parse.GetValue(history), cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new PolicyList { Policies = policies });
            else if (parse.GetValue(text))
                foreach (var policy in policies)
                    Console.Out.WriteLine($"# {policy.Kind} {(policy.Scope.Length == 0 ? "(all resources)" : policy.Scope)}, version {policy.Version}\n{policy.Text}");
            else
                TextTable.Print(["SCOPE", "VERSION", "SET", "BY"], [.. policies.Select(p => (string[])
                    [p.Scope.Length == 0 ? "(all resources)" : p.Scope, Output.Number(p.Version), p.Version == 0 ? "built in" : Output.Time(p.SetAt), p.SetBy])]);
            return ExitCode.Success;
        });
    }

    private static Command PolicyDelete()
    {
        var kind = Kind();
        var scope = Scope();
        return BrokerConnection.Command("delete", "Take a policy out of force; the wider one or the built-in takes its place.", [kind, scope], async (parse, client, cancellationToken) =>
        {
            await client.DeletePolicyAsync(parse.GetRequiredValue(kind), parse.GetValue(scope) ?? "", cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Token() => new("token", "Make, list and revoke administrators' tokens.") { TokenCreate(), TokenList(), TokenRevoke() };

    private static Command TokenCreate()
    {
        var name = new Argument<string>("NAME") { Description = "Whose token it is to be" };
        var roles = new Option<string>("--roles") { Description = "policy-author, reference-author, secret-author, auditor, token-author or administrator, with commas", Required = true, HelpName = "ROLES" };
        var days = new Option<int?>("--days") { Description = "How long it is good (default: until it is revoked)", HelpName = "N" };
        return BrokerConnection.Command("create", "Make a token, and print it: this is the one time it is shown.", [name, roles, days], async (parse, client, cancellationToken) =>
        {
            var created = await client.CreateAdminTokenAsync(
                new CreateAdminTokenRequest
                {
                    Name = parse.GetRequiredValue(name), Roles = parse.GetRequiredValue(roles),
                    Expires = parse.GetValue(days) is { } n ? TimeProvider.System.GetUtcNow().AddDays(n) : null,
                },
                cancellationToken);
            Console.Out.WriteLine(created.Token ?? throw new MalformedDataException("administrator's token", -1, "the broker's answer holds none"));
            return ExitCode.Success;
        });
    }

    private static Command TokenList()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("list", "List administrators' tokens, without the tokens.", [json], async (parse, client, cancellationToken) =>
        {
            var tokens = await client.ListAdminTokensAsync(cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new AdminTokenList { Tokens = tokens });
            else
                TextTable.Print(["NAME", "ROLES", "MADE", "BY", "STATE"], [.. tokens.Select(t => (string[])
                    [t.Name, t.Roles, Output.Time(t.CreatedAt), t.CreatedBy, t.RevokedAt is not null ? "revoked" : t.Expires is { } e ? $"until {Output.Time(e)}" : ""])]);
            return ExitCode.Success;
        });
    }

    private static Command TokenRevoke()
    {
        var name = new Argument<string>("NAME") { Description = "Whose token is to end" };
        return BrokerConnection.Command("revoke", "End an administrator's token.", [name], async (parse, client, cancellationToken) =>
        {
            await client.RevokeAdminTokenAsync(parse.GetRequiredValue(name), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Rewrap() => BrokerConnection.Command(
        "rewrap", "After a change of master key: wrap everything with the present one, while the broker runs.", [], async (_, client, cancellationToken) =>
    {
        await client.RewrapAsync(cancellationToken);
        return ExitCode.Success;
    });
}
