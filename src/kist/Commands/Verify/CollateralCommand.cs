using System.CommandLine;
using Kist.Attestation;
using Kist.Collateral;

namespace Kist.Cli.Commands.Verify;

/// <summary>"kist collateral fetch": vendors' statements for evidence, into a directory that kist verify and the broker read.</summary>
static class CollateralCommand
{
    private static readonly Argument<string[]> s_files = new("FILE") { Description = "Evidence of the platforms whose collateral is wanted.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The collateral directory; what is current there is kept.", Required = true };
    private static readonly Option<string?> s_tee = new("--tee") { Description = "The TEE, where it cannot be told from the file." };
    private static readonly Option<Uri?> s_pccs = new("--pccs") { Description = "A cache of Intel's provisioning service (PCCS), without /sgx/certification/…. Default: Intel." };
    private static readonly Option<Uri?> s_kds = new("--kds") { Description = "A server with the interface of AMD's key distribution service. Default: AMD." };
    private static readonly Option<bool> s_early = new("--early") { Description = "Intel's newest evaluation, before platforms have had time to update." };

    public static Command Create()
    {
        var fetch = new Command("fetch", "Fetch what evidence needs from Intel and AMD.") { s_files, s_output, s_tee, s_pccs, s_kds, s_early };
        fetch.SetAction(FetchAsync);
        return new Command("collateral", "Vendors' statements about platforms.") { fetch };
    }

    private static async Task<int> FetchAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var cache = new CollateralCache(Path.GetFullPath(parse.GetValue(s_output)!));
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        using var intel = new IntelProvisioningService(http, cache, address: parse.GetValue(s_pccs), isEarly: parse.GetValue(s_early));
        using var amd = new AmdKeyServer(http, cache, address: parse.GetValue(s_kds));
        foreach (var file in parse.GetValue(s_files)!)
        {
            var evidence = EvidenceDetector.Detect(EvidenceFiles.Read(file), parse.GetValue(s_tee)).Evidence;
            var store = new CollateralStore();
            await intel.FetchAsync(evidence, store, cancellationToken);
            await amd.FetchAsync(evidence, store, cancellationToken);
            Terminal.Note($"{file}: the collateral of this {evidence.Tee} platform is in {parse.GetValue(s_output)}");
        }

        return ExitCode.Success;
    }
}
