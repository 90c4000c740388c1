using System.CommandLine;
using Kist.Enclaves.Attestation;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>Where references and records of challenged enclaves are kept: "enclaves" of the state directory.</summary>
static class EnclaveStores
{
    public static EnclaveReferenceStore References(this ParseResult parse, Option<string?> state) => new(Path.Combine(Root(parse, state), "references"));

    public static LaunchRecordLog Records(this ParseResult parse, Option<string?> state) => new(Path.Combine(Root(parse, state), "records.jsonl"));

    private static string Root(ParseResult parse, Option<string?> state) => Path.Combine(parse.Open(state).Root, "enclaves");
}
