using System.CommandLine;
using System.Globalization;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>
/// "kist replay": which recorded attestations a new policy, or newer collateral, would refuse, before anyone rolls it out. Exit
/// code 3 if some that are accepted today would be refused.
/// </summary>
static class ReplayCommand
{
    private static readonly Argument<string[]> s_bundles = new("BUNDLE") { Description = "Bundles made by kist bundle create.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> s_policy = new("--policy") { Description = "The new TCB policy (JSON)." };
    private static readonly Option<string[]> s_collateral = new("--collateral") { Description = "Newer vendor's statements: a file or a directory.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> s_at = new("--at") { Description = "Judge as of this time (ISO 8601) instead of each bundle's own." };
    private static readonly Option<string[]> s_trustAnchor = new("--trust-anchor") { Description = "A root besides the built-in ones: a trust anchor file (JSON), or VENDOR=CERTIFICATE." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("replay", "Judge bundles under a new policy or newer collateral, and say what would change.")
        {
            s_bundles, s_policy, s_collateral, s_at, s_trustAnchor, s_json,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var results = parse.GetValue(s_bundles)!.Select(file => Replay(parse, file)).ToList();
        if (parse.GetValue(s_json))
            PrintJson(results);
        else
            PrintText(results);
        return results.Any(r => r.WouldBeRefused) ? ExitCode.Refused : ExitCode.Success;
    }

    private static Result Replay(ParseResult parse, string file)
    {
        var bundle = EvidenceBundleJson.Parse(EvidenceFiles.Read(file, EvidenceBundleJson.MaxSize));
        var anchors = TrustAnchorArgument.ReadAll(parse.GetValue(s_trustAnchor));
        var before = bundle.Verify(anchors, allowSimulated: true, allowDebug: true);
        var time = parse.GetValue(s_at) is { } at ? ParseTime(at) : bundle.Options.Time;
        var options = bundle.Options with
        {
            Time = time,
            Tcb = parse.GetValue(s_policy) is { } policy ? TcbPolicyJson.Parse(EvidenceFiles.Read(policy)) : bundle.Options.Tcb,
            Collateral = Newer(parse, time, bundle.Options.Collateral),
        };
        var after = (bundle with { Options = options }).Verify(anchors, allowSimulated: true, allowDebug: true);
        return new Result(file, before, after);
    }

    private static ICollateralSource Newer(ParseResult parse, DateTimeOffset time, ICollateralSource recorded)
    {
        var paths = parse.GetValue(s_collateral) ?? [];
        if (paths.Length == 0)
            return recorded;
        return new LayeredCollateral(VerificationArguments.ReadCollateral(paths, time), recorded);
    }

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw new OperationFailedException("read --at", text, "not a time", "write it as 2025-06-25T00:00:00Z");

    private static void PrintText(List<Result> results)
    {
        foreach (var result in results)
        {
            var change = result.WouldBeRefused ? Terminal.Red("would be refused")
                : result.WouldBeAccepted ? Terminal.Green("would be accepted")
                : result.After.IsAccepted ? "stays accepted" : "stays refused";
            Console.Out.WriteLine($"{result.File}: {change}{(result.After.DecisiveFailure is { } f ? $": {f.Id}: {EvidenceText.Printable(f.Why)}" : "")}");
            if (result.WouldBeRefused && result.After.DecisiveFailure is { Remedy: { } remedy })
                Console.Out.WriteLine($"    {EvidenceText.Printable(remedy)}");
        }

        Console.Out.WriteLine($"{results.Count(r => r.WouldBeRefused)} of {results.Count} would be refused that are accepted today; {results.Count(r => r.WouldBeAccepted)} the other way");
    }

    private static void PrintJson(List<Result> results) => VerdictOutput.Print(writer =>
    {
        writer.WriteNumber("bundles", results.Count);
        writer.WriteNumber("newlyRefused", results.Count(r => r.WouldBeRefused));
        writer.WriteNumber("newlyAccepted", results.Count(r => r.WouldBeAccepted));
        writer.WriteStartArray("results");
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("file", result.File);
            writer.WriteBoolean("acceptedBefore", result.Before.IsAccepted);
            writer.WritePropertyName("after");
            VerdictJson.Write(writer, result.After);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private sealed record Result(string File, Verdict Before, Verdict After)
    {
        public bool WouldBeRefused => Before.IsAccepted && !After.IsAccepted;

        public bool WouldBeAccepted => !Before.IsAccepted && After.IsAccepted;
    }
}
