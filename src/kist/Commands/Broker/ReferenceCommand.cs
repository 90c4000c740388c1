using System.CommandLine;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.Measurement.Tdx;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist reference</c>: what the broker expects of guests.</summary>
static class ReferenceCommand
{
    private const int MaxFileBytes = 1024 * 1024;
    private const int MaxImportBytes = 4 * 1024 * 1024;

    public static Command Create() => new("reference", "Register, list and compare reference values in a key broker.")
    {
        Add(), Import(), List(), History(), Delete(), Diff(),
    };

    private static Argument<string> FileArgument() => new("FILE")
    {
        Description = "A reference set, a guest's predicted measurements, or an object from names to values (JSON); - for standard input",
    };

    private static Command Add()
    {
        var file = FileArgument();
        var name = new Option<string?>("--name") { Description = "Name of the set, where the file does not say it", HelpName = "NAME" };
        var days = new Option<int>("--days") { Description = "How long it is valid, where the file does not say it", DefaultValueFactory = _ => 365, HelpName = "N" };
        var source = new Option<string?>("--source") { Description = "Where the values come from (default: the file's name)", HelpName = "TEXT" };
        return BrokerConnection.Command("add", "Register reference values.", [file, name, days, source], async (parse, client, cancellationToken) =>
        {
            var path = parse.GetRequiredValue(file);
            var content = await Output.ReadAsync(path, MaxFileBytes, cancellationToken);
            var set = ReadSet(content, parse.GetValue(name), parse.GetValue(days), parse.GetValue(source) ?? Path.GetFileName(path));
            if (set is null)
            {
                await client.RegisterReferenceValuesAsync(content, cancellationToken);
                Terminal.Note("registered single values");
                return ExitCode.Success;
            }

            await client.RegisterReferenceSetAsync(set, cancellationToken);
            Terminal.Note($"registered {set.Name}: {set.Claims.Count} claims of {set.Tee}, valid until {Output.Time(set.Expires)}");
            return ExitCode.Success;
        });
    }

    private static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "A CoRIM, a signed reference set, or what kist guest build wrote; - for standard input" };
        var unsigned = new Option<bool>("--allow-unsigned") { Description = "Take it without a signature, if the broker allows that" };
        var name = new Option<string?>("--name") { Description = "Name of the set, where the file does not say it", HelpName = "NAME" };
        var days = new Option<int>("--days") { Description = "How long it is valid, where the file does not say it", DefaultValueFactory = _ => 365, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("import", "Import reference values that somebody signed whom the broker trusts for it.", [file, unsigned, name, days, json], async (parse, client, cancellationToken) =>
        {
            var path = parse.GetRequiredValue(file);
            var content = await Output.ReadAsync(path, MaxImportBytes, cancellationToken);
            if (content.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8))
            {
                // The file of a guest build says neither a name nor how long it is good.
                content = KbsJson.Write(ReadSet(content, parse.GetValue(name), parse.GetValue(days), Path.GetFileName(path))
                    ?? throw new MalformedDataException("reference set", -1, "the file holds single values, no set"));
            }

            var report = await client.ImportReferencesAsync(content, parse.GetValue(unsigned), cancellationToken);
            if (parse.GetValue(json))
                Output.Json(report);
            else
                foreach (var imported in report.Names)
                    Console.Out.WriteLine(imported);
            Terminal.Note($"{(report.Signer is null ? "not signed" : $"signed by {report.Signer}")}{(report.WaitsForApproval ? "; waits for a second person: kist broker proposals" : "")}");
            return ExitCode.Success;
        });
    }

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var values = new Option<bool>("--values") { Description = "List single values instead of sets" };
        return BrokerConnection.Command("list", "List reference sets, or single values.", [json, values], async (parse, client, cancellationToken) =>
        {
            const int page = 500;
            if (parse.GetValue(values))
            {
                var found = await client.ListReferenceValuesAsync("", page, cancellationToken);
                if (parse.GetValue(json))
                    Output.Json(new ReferenceValueList { Values = found });
                else
                    TextTable.Print(["NAME", "VERSION", "VALUE", "EXPIRES", "STATE"], [.. found.Select(v => (string[])
                        [v.Name, Output.Number(v.Version), v.Value.GetRawText(), Output.Time(v.Expires), v.InForce ? "in force" : "not in force"])]);
                return ExitCode.Success;
            }

            var all = new List<ReferenceSetDocument>();
            IReadOnlyList<ReferenceSetDocument> some;
            do
            {
                some = await client.ListReferenceSetsAsync(all.LastOrDefault()?.Set.Name ?? "", page, cancellationToken);
                all.AddRange(some);
            }
            while (some.Count == page);
            if (parse.GetValue(json))
                Output.Json(new ReferenceSetList { Sets = all });
            else
                TextTable.Print(["NAME", "TEE", "CLAIMS", "VERSION", "EXPIRES", "STATE", "BY"], all.ConvertAll(s => (string[])
                    [s.Set.Name, s.Set.Tee, Output.Number(s.Set.Claims.Count), Output.Number(s.Version), Output.Time(s.Set.Expires), s.InForce ? "in force" : "not in force", s.RegisteredBy]));
            return ExitCode.Success;
        });
    }

    private static Command History()
    {
        var name = new Argument<string>("NAME") { Description = "Name of the set" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        return BrokerConnection.Command("history", "Show all versions of a reference set.", [name, json], async (parse, client, cancellationToken) =>
        {
            var versions = await client.ReferenceSetHistoryAsync(parse.GetRequiredValue(name), cancellationToken);
            if (parse.GetValue(json))
            {
                Output.Json(new ReferenceSetList { Sets = versions });
                return ExitCode.Success;
            }

            foreach (var version in versions)
            {
                Console.Out.WriteLine($"version {version.Version}, {Output.Time(version.RegisteredAt)} by {version.RegisteredBy}, from {version.Set.Source}{(version.Deleted ? ", deleted" : "")}");
                foreach (var (claim, accepted) in version.Set.Claims)
                    Console.Out.WriteLine($"  {claim}: {string.Join(" or ", accepted)}");
            }

            return ExitCode.Success;
        });
    }

    private static Command Delete()
    {
        var name = new Argument<string>("NAME") { Description = "Name of the set, or of the single value" };
        var value = new Option<bool>("--value") { Description = "It is a single value" };
        return BrokerConnection.Command("delete", "Take a reference set out of force.", [name, value], async (parse, client, cancellationToken) =>
        {
            var subject = parse.GetRequiredValue(name);
            await (parse.GetValue(value) ? client.DeleteReferenceValueAsync(subject, cancellationToken) : client.DeleteReferenceSetAsync(subject, cancellationToken));
            Terminal.Note($"{subject} is no longer in force");
            return ExitCode.Success;
        });
    }

    private static Command Diff()
    {
        var name = new Argument<string>("NAME") { Description = "Name of the registered set" };
        var file = FileArgument();
        return BrokerConnection.Command("diff", "Compare a registered reference set with a file; status 3 if they differ.", [name, file], async (parse, client, cancellationToken) =>
        {
            var history = await client.ReferenceSetHistoryAsync(parse.GetRequiredValue(name), cancellationToken);
            if (history is not [.., { Deleted: false } registered])
                throw new OperationFailedException("compare reference values", parse.GetRequiredValue(name), "no such set is in force", "kist reference list");
            var content = await Output.ReadAsync(parse.GetRequiredValue(file), MaxFileBytes, cancellationToken);
            var set = ReadSet(content, parse.GetRequiredValue(name), 1, "diff") ?? throw new MalformedDataException("reference set", -1, "the file holds single values, no set");
            var rows = registered.Set.Claims.Keys.Union(set.Claims.Keys).Order(StringComparer.Ordinal)
                .Select(c => (Claim: c, Registered: Join(registered.Set, c), InFile: Join(set, c)))
                .Where(r => r.Registered != r.InFile).ToList();
            foreach (var (claim, was, inFile) in rows)
                Console.Out.WriteLine($"{claim}\n  registered: {was}\n  file:       {inFile}");
            return rows.Count == 0 ? ExitCode.Success : ExitCode.Refused;
        });
    }

    private static string Join(ReferenceSet set, string claim) =>
        set.Claims.TryGetValue(claim, out var values) ? string.Join(" or ", values.Select(v => v.ToLowerInvariant()).Order(StringComparer.Ordinal)) : "(absent)";

    /// <summary>A set in either form; null for a plain object from names to values.</summary>
    private static ReferenceSet? ReadSet(byte[] content, string? name, int days, string source)
    {
        using var document = StrictJson.ParseObject(content, MaxFileBytes, "reference values");
        if (document.RootElement.TryGetProperty("claims", out _))
        {
            var set = KbsJson.Read<ReferenceSet>(content, MaxFileBytes);
            return name is null ? set : set with { Name = name };
        }

        if (!document.RootElement.TryGetProperty("tee", out var tee) || tee.ValueKind != JsonValueKind.String || tee.GetString() != "tdx")
            return null;
        var values = TdxReferenceValues.FromJson(content);
        return new ReferenceSet
        {
            Name = name ?? throw new OperationFailedException("register reference values", source, "the file says no name", "give --name NAME"),
            Tee = "tdx",
            Claims = new Dictionary<string, IReadOnlyList<string>>
            {
                ["quote.body.mr_td"] = [values.MrTd.ToString()],
                ["quote.body.rtmr_0"] = [values.Rtmr0.ToString()],
                ["quote.body.rtmr_1"] = [values.Rtmr1.ToString()],
                ["quote.body.rtmr_2"] = [values.Rtmr2.ToString()],
                ["quote.body.mr_config_id"] = [values.MrConfigId.ToString()],
            },
            Expires = TimeProvider.System.GetUtcNow().AddDays(days),
            Source = source,
        };
    }
}
