using System.CommandLine;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>
/// "--fetch": asks the vendors for the collateral that evidence needs, and keeps it. What cannot be had is said, and evidence is
/// judged without it: the verdict then names what is missing.
/// </summary>
sealed class FetchArguments
{
    private readonly Option<bool> _fetch = new("--fetch") { Description = "Fetch missing collateral from Intel and AMD, and keep it in the cache." };
    private readonly Option<string?> _cache = new("--cache")
    {
        Description = "Directory for what --fetch fetches. Default: kist/collateral in XDG_CACHE_HOME or ~/.cache.",
        HelpName = "DIR",
    };

    private readonly VendorServices.Arguments _services = new();

    public void AddTo(Command command)
    {
        command.Add(_fetch);
        command.Add(_cache);
        _services.AddTo(command);
    }

    /// <summary>The options with the collateral that was fetched for this evidence behind the collateral that was given.</summary>
    public async Task<VerificationOptions> WithFetchedAsync(ParseResult parse, Evidence evidence, VerificationOptions options, CancellationToken cancellationToken)
    {
        if (!parse.GetValue(_fetch))
            return options;
        using var services = _services.Open(parse, parse.GetValue(_cache) ?? DefaultCache());
        var store = new CollateralStore();
        try
        {
            await services.FetchAsync(evidence, store, cancellationToken);
        }
        catch (OperationFailedException e)
        {
            Terminal.Note($"{e.Message}; judged with what is at hand");
        }

        return options with { Collateral = new LayeredCollateral(options.Collateral, store) };
    }

    private static string DefaultCache()
    {
        var root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "kist", "collateral");
    }
}
