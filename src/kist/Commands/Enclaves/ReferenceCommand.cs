using System.CommandLine;
using System.Text.Json.Nodes;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>"kist enclave reference": the enclaves that are expected, by name.</summary>
static class ReferenceCommand
{
    private static readonly Argument<string> s_name = new("NAME") { Description = "Name of the reference." };
    private static readonly Option<string> s_source = new("--source") { Description = "Where the values come from, such as the build that made them.", Required = true };
    private static readonly Option<DateTimeOffset?> s_expires = new("--expires") { Description = "From when on it accepts nothing any more." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };
    private static readonly Option<string?> s_state = StateOption.Create();
    private static readonly EnclaveReferenceOptions s_values = new();

    public static Command Create()
    {
        var add = new Command("add", "Store a reference, in place of one of the same name.") { s_name, s_source, s_expires, s_state };
        s_values.AddTo(add);
        add.SetAction(Add);
        var list = new Command("list", "Print the stored references.") { s_json, s_state };
        list.SetAction(List);
        var remove = new Command("remove", "Remove a reference.") { s_name, s_state };
        remove.SetAction(Remove);
        return new Command("reference", "The enclaves that are expected.") { add, list, remove };
    }

    private static int Add(ParseResult parse)
    {
        var values = s_values.Read(parse);
        parse.References(s_state).Put(new NamedEnclaveReference
        {
            Name = parse.GetValue(s_name)!,
            MrEnclave = values.MrEnclave,
            MrSigner = values.MrSigner,
            Product = values.Product,
            MinimumVersion = values.MinimumVersion,
            Source = parse.GetValue(s_source)!,
            Expires = parse.GetValue(s_expires),
        });
        return ExitCode.Success;
    }

    private static int List(ParseResult parse)
    {
        var references = parse.References(s_state).List();
        if (parse.GetValue(s_json))
        {
            Console.Out.WriteLine(new JsonArray([.. references.Select(ToJson)]).ToJsonString());
            return ExitCode.Success;
        }

        foreach (var reference in references)
            Console.Out.WriteLine($"{reference.Name}  {Describe(reference)}  {reference.Source}");
        return ExitCode.Success;
    }

    private static int Remove(ParseResult parse)
    {
        var name = parse.GetValue(s_name)!;
        return parse.References(s_state).Remove(name)
            ? ExitCode.Success : throw new OperationFailedException("remove reference", name, "nothing of this name is stored", "kist enclave reference list");
    }

    private static JsonNode ToJson(NamedEnclaveReference reference) => new JsonObject
    {
        ["name"] = reference.Name,
        ["mrEnclave"] = new JsonArray([.. reference.MrEnclave.Select(v => (JsonNode)v)]),
        ["mrSigner"] = new JsonArray([.. reference.MrSigner.Select(v => (JsonNode)v)]),
        ["product"] = reference.Product,
        ["minimumVersion"] = reference.MinimumVersion,
        ["source"] = reference.Source,
        ["expires"] = reference.Expires?.ToString("O"),
    };

    private static string Describe(NamedEnclaveReference reference) => string.Join(
        ' ',
        reference.MrEnclave.Select(v => $"mrenclave={v}").Concat(reference.MrSigner.Select(v => $"mrsigner={v}"))
            .Concat(reference.Product is { } product ? [$"product={product}"] : []).Concat(reference.MinimumVersion is { } version ? [$"svn>={version}"] : []));
}
