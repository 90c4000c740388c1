using System.CommandLine;
using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Storage;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist broker</c>: running and administering a key broker.</summary>
static class BrokerCommand
{
    public static Command Create() => new("broker", "Run and administer a key broker.")
    {
        Approve(), Backup(), MasterKeyCommand.Create(), Policy(), Proposals(), Reject(), Restore(), Revoke(), Rewrap(), MasterKeyCommand.Rotate(), ServeCommand.Create(), TenantCommand.Create(), Token(), Unrevoke(), Revocations(),
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
        var roles = new Option<string>("--roles") { Description = "policy-author, reference-author, secret-author, auditor, token-author, key-keeper or administrator, with commas", Required = true, HelpName = "ROLES" };
        var days = new Option<int?>("--days") { Description = "How long it is good (default: until it is revoked)", HelpName = "N" };
        return BrokerConnection.Command("create", "Make a token, and print it: this is the one time it is shown.", [name, roles, days], async (parse, client, cancellationToken) =>
        {
            var created = await client.CreateAdminTokenAsync(
                new CreateAdminTokenRequest
                {
                    Name = parse.GetRequiredValue(name),
                    Roles = parse.GetRequiredValue(roles),
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

    private static Argument<string> ProposalId() => new("ID") { Description = "Which one, as kist broker proposals lists it" };

    private static Command Approve()
    {
        var id = ProposalId();
        return BrokerConnection.Command("approve", "Put somebody else's proposed change in force.", [id], async (parse, client, cancellationToken) =>
        {
            await client.ApproveProposalAsync(parse.GetRequiredValue(id), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Reject()
    {
        var id = ProposalId();
        return BrokerConnection.Command("reject", "Reject a proposed change, or withdraw one's own.", [id], async (parse, client, cancellationToken) =>
        {
            await client.RejectProposalAsync(parse.GetRequiredValue(id), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Proposals()
    {
        var decided = new Option<bool>("--decided") { Description = "List decided ones as well" };
        var text = new Option<bool>("--text") { Description = "Print what is proposed" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("proposals", "List changes that wait for a second person.", [decided, text, json], async (parse, client, cancellationToken) =>
        {
            var proposals = await client.ListProposalsAsync(parse.GetValue(decided), cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new ProposalList { Proposals = proposals });
            else if (parse.GetValue(text))
                foreach (var proposal in proposals)
                    Console.Out.WriteLine($"# {proposal.Id} {proposal.Kind} {proposal.Subject}, by {proposal.ProposedBy}\n{proposal.Body}");
            else
                TextTable.Print(["ID", "CHANGE", "OF", "PROPOSED", "BY", "STATE"], [.. proposals.Select(p => (string[])
                    [p.Id, p.Kind, p.Subject, Output.Time(p.ProposedAt), p.ProposedBy, p.Decision is null ? "waits" : $"{p.Decision} by {p.DecidedBy}"])]);
            return ExitCode.Success;
        });
    }

    private static Command Backup()
    {
        var (state, postgres) = DatabaseOptions("The broker's state folder");
        var file = new Argument<string>("FILE") { Description = "Where the copy goes" };
        var command = new Command("backup", "Copy a broker's database while it runs. Secrets stay encrypted; keep the master key elsewhere.") { state, postgres, file };
        command.SetAction(parse =>
        {
            if (Postgres(parse, postgres, state) is { } shared)
                BrokerBackup.CreateFromPostgres(shared, parse.GetRequiredValue(file), TimeProvider.System.GetUtcNow());
            else
                BrokerBackup.Create(parse.GetValue(state)!, parse.GetRequiredValue(file));
            Terminal.Note($"copied to {parse.GetRequiredValue(file)}; the master key is not in it");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Restore()
    {
        var (state, postgres) = DatabaseOptions("A state folder without a database; put the master key there too");
        var file = new Argument<string>("FILE") { Description = "What kist broker backup wrote, of either database" };
        var command = new Command("restore", "Check a copy of a broker's database, and put it into a state folder or a PostgreSQL database.") { state, postgres, file };
        command.SetAction(parse =>
        {
            var entries = Postgres(parse, postgres, state) is { } shared
                ? BrokerBackup.RestoreToPostgres(parse.GetRequiredValue(file), shared, TimeProvider.System.GetUtcNow())
                : BrokerBackup.Restore(parse.GetRequiredValue(file), parse.GetValue(state)!);
            Terminal.Note($"restored; all {entries} entries of the audit log were checked");
            return ExitCode.Success;
        });
        return command;
    }

    private static (Option<string?> State, Option<string?> Postgres) DatabaseOptions(string state) =>
    (
        new("--state") { Description = state, HelpName = "DIR" },
        new("--postgres") { Description = "Instead: file with the connection string of a PostgreSQL database", HelpName = "FILE" }
    );

    /// <summary>The connection string; null if a state folder was given instead.</summary>
    private static string? Postgres(ParseResult parse, Option<string?> postgres, Option<string?> state) => (parse.GetValue(postgres), parse.GetValue(state)) switch
    {
        ({ } file, null) => File.ReadAllText(file).Trim(),
        (null, not null) => null,
        _ => throw new OperationFailedException("choose the broker's database", "broker", "one of --state and --postgres is needed"),
    };

    private static Argument<string> RevocationKind()
    {
        var kind = new Argument<string>("KIND") { Description = "workload (a key's thumbprint), token (its id) or init-data (hexadecimal, as measured)" };
        kind.AcceptOnlyFromAmong("workload", "token", "init-data");
        return kind;
    }

    private static Command Revoke()
    {
        var kind = RevocationKind();
        var value = new Argument<string>("VALUE") { Description = "Which one, as kist audit list names it" };
        var reason = new Option<string>("--reason") { Description = "Why, for people", Required = true, HelpName = "TEXT" };
        return BrokerConnection.Command("revoke", "Give a workload nothing more, at once.", [kind, value, reason], async (parse, client, cancellationToken) =>
        {
            await client.RevokeAsync(
                new RevocationDocument { Kind = parse.GetRequiredValue(kind), Value = parse.GetRequiredValue(value), Reason = parse.GetRequiredValue(reason) }, cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Unrevoke()
    {
        var kind = RevocationKind();
        var value = new Argument<string>("VALUE") { Description = "Which one" };
        return BrokerConnection.Command("unrevoke", "Lift a revocation.", [kind, value], async (parse, client, cancellationToken) =>
        {
            await client.DeleteRevocationAsync(parse.GetRequiredValue(kind), parse.GetRequiredValue(value), cancellationToken);
            return ExitCode.Success;
        });
    }

    private static Command Revocations()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("revocations", "List what was revoked.", [json], async (parse, client, cancellationToken) =>
        {
            var revocations = await client.ListRevocationsAsync(cancellationToken);
            if (parse.GetValue(json))
                Output.Json(new RevocationList { Revocations = revocations });
            else
                TextTable.Print(["KIND", "VALUE", "SINCE", "BY", "REASON"], [.. revocations.Select(r => (string[])
                    [r.Kind, r.Value, r.RevokedAt is { } at ? Output.Time(at) : "", r.RevokedBy ?? "", r.Reason])]);
            return ExitCode.Success;
        });
    }

    private static Command Rewrap() => BrokerConnection.Command(
        "rewrap", "After a change of master key: wrap everything with the present one, while the broker runs.", [], async (_, client, cancellationToken) =>
    {
        Terminal.Note($"wrapped {await client.RewrapAsync(cancellationToken)} versions of secrets anew");
        return ExitCode.Success;
    });
}
