using System.CommandLine;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>"kist bundle": one file with evidence and all that its judgement rests on.</summary>
static class BundleCommand
{
    private static readonly Argument<string> s_evidence = new("FILE") { Description = "Evidence in any form; - for standard input." };
    private static readonly Argument<string[]> s_bundles = new("BUNDLE") { Description = "Bundles made by kist bundle create.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The bundle to write; - for standard output.", Required = true };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print each verdict as a JSON object." };
    private static readonly Option<bool> s_allowDebug = new("--allow-debug") { Description = "Accept debuggable evidence if the bundle says that it was accepted." };
    private static readonly Option<bool> s_allowSimulated = new("--allow-simulated") { Description = "Accept simulated evidence if the bundle says that it was accepted." };
    private static readonly Option<string[]> s_trustAnchor = new("--trust-anchor") { Description = "A root besides the built-in ones: a trust anchor file (JSON), or VENDOR=CERTIFICATE." };
    private static readonly VerificationArguments s_arguments = new();

    public static Command Create()
    {
        var create = new Command("create", "Judge evidence, and keep it with its collateral, roots, policy and time.") { s_evidence, s_output, s_json };
        s_arguments.AddTo(create);
        create.SetAction(RunCreate);
        var verify = new Command("verify", "Judge bundles again as they were judged then, without a network.") { s_bundles, s_trustAnchor, s_allowDebug, s_allowSimulated, s_json };
        verify.SetAction(RunVerify);
        return new Command("bundle", "Keep evidence so that it can be judged again in years.") { create, verify };
    }

    private static int RunCreate(ParseResult parse)
    {
        var file = parse.GetValue(s_evidence)!;
        var evidence = s_arguments.Load(parse, file).Evidence;
        var (bundle, verdict) = EvidenceBundle.Create(evidence, s_arguments.Binding(parse), s_arguments.Options(parse));
        var data = EvidenceBundleJson.Write(bundle);
        var output = parse.GetValue(s_output)!;
        if (output == "-")
        {
            using var standard = Console.OpenStandardOutput();
            standard.Write(data);
        }
        else
        {
            File.WriteAllBytes(output, data);
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(verdict, file);
            else
                VerdictOutput.PrintLine(verdict, file);
        }

        if (!verdict.IsAccepted)
            Terminal.Note("the evidence was refused; the bundle keeps it as it is");
        return verdict.IsAccepted ? ExitCode.Success : ExitCode.Refused;
    }

    private static int RunVerify(ParseResult parse)
    {
        var anchors = TrustAnchorArgument.ReadAll(parse.GetValue(s_trustAnchor));
        var worst = ExitCode.Success;
        foreach (var file in parse.GetValue(s_bundles)!)
            worst = Math.Max(worst, VerifyBundle(parse, file, anchors));
        return worst;
    }

    private static int VerifyBundle(ParseResult parse, string file, TrustAnchorSet anchors)
    {
        try
        {
            var bundle = EvidenceBundleJson.Parse(EvidenceFiles.Read(file, EvidenceBundleJson.MaxSize));
            foreach (var anchor in bundle.Options.Anchors.Anchors.Where(a => anchors.Find(a.Vendor, a.SpkiSha256.AsSpan()) is null))
                Terminal.Note($"{file} was judged under a root that is not trusted here: {anchor.Vendor}, {EvidenceText.Printable(anchor.Name)}");
            var verdict = bundle.Verify(anchors, parse.GetValue(s_allowSimulated), parse.GetValue(s_allowDebug));
            if (parse.GetValue(s_json))
                VerdictOutput.PrintJson(verdict, file);
            else
                VerdictTree.Write(Console.Out, verdict, Terminal.OutputHasColour, file);
            if (verdict.IsAccepted != bundle.WasAccepted)
                Terminal.Note($"{file} records that the evidence was {(bundle.WasAccepted ? "accepted" : "refused")} then");
            return verdict.IsAccepted ? ExitCode.Success : ExitCode.Refused;
        }
        catch (MalformedDataException e)
        {
            Terminal.Error($"{file}: {e.Message}");
            return ExitCode.Malformed;
        }
    }
}
