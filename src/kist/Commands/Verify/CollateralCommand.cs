using System.CommandLine;
using Kist.Attestation;

namespace Kist.Cli.Commands.Verify;

/// <summary>"kist collateral fetch": vendors' statements for evidence, into a directory that kist verify and the broker read.</summary>
static class CollateralCommand
{
    private static readonly Argument<string[]> s_files = new("FILE") { Description = "Evidence of the platforms whose collateral is wanted.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The collateral directory; what is current there is kept.", Required = true };
    private static readonly Option<string?> s_tee = new("--tee") { Description = "The TEE, where it cannot be told from the file." };
    private static readonly VendorServices.Arguments s_services = new();

    public static Command Create()
    {
        var fetch = new Command("fetch", "Fetch what evidence needs from Intel and AMD.") { s_files, s_output, s_tee };
        s_services.AddTo(fetch);
        fetch.SetAction(FetchAsync);
        return new Command("collateral", "Vendors' statements about platforms.") { fetch };
    }

    private static async Task<int> FetchAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        using var services = s_services.Open(parse, parse.GetValue(s_output)!);
        foreach (var file in parse.GetValue(s_files)!)
        {
            var evidence = EvidenceDetector.Detect(EvidenceFiles.Read(file), parse.GetValue(s_tee)).Evidence;
            await services.FetchAsync(evidence, new CollateralStore(), cancellationToken);
            Terminal.Note($"{file}: the collateral of this {evidence.Tee} platform is in {parse.GetValue(s_output)}");
        }

        return ExitCode.Success;
    }
}
