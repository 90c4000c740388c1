using System.CommandLine;
using System.CommandLine.Parsing;
using Kist.Attestation;
using Kist.Collateral;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>The vendors' servers from which collateral is fetched, with one directory as their cache.</summary>
sealed class VendorServices : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly IntelProvisioningService _intel;
    private readonly AmdKeyServer _amd;

    private VendorServices(CollateralCache cache, Uri? pccs, Uri? kds, bool isEarly)
    {
        _intel = new IntelProvisioningService(_http, cache, address: pccs, isEarly: isEarly);
        _amd = new AmdKeyServer(_http, cache, address: kds);
    }

    /// <summary>Adds what a piece of evidence needs; nothing for TEEs whose evidence brings everything.</summary>
    /// <exception cref="OperationFailedException">It cannot be had.</exception>
    public async Task FetchAsync(Evidence evidence, CollateralStore store, CancellationToken cancellationToken)
    {
        await _intel.FetchAsync(evidence, store, cancellationToken);
        await _amd.FetchAsync(evidence, store, cancellationToken);
    }

    public void Dispose()
    {
        _intel.Dispose();
        _amd.Dispose();
        _http.Dispose();
    }

    /// <summary>The options that say which servers to ask.</summary>
    internal sealed class Arguments
    {
        private readonly Option<Uri?> _pccs = new("--pccs")
        {
            Description = "A cache of Intel's provisioning service (PCCS), without /sgx/certification/…. Default: Intel.",
            HelpName = "URL",
            CustomParser = ParseAddress,
        };

        private readonly Option<Uri?> _kds = new("--kds")
        {
            Description = "A server with the interface of AMD's key distribution service. Default: AMD.",
            HelpName = "URL",
            CustomParser = ParseAddress,
        };

        private readonly Option<bool> _early = new("--early") { Description = "Intel's newest evaluation, before platforms have had time to update." };

        public void AddTo(Command command)
        {
            command.Add(_pccs);
            command.Add(_kds);
            command.Add(_early);
        }

        public VendorServices Open(ParseResult parse, string directory) =>
            new(new CollateralCache(Path.GetFullPath(directory)), parse.GetValue(_pccs), parse.GetValue(_kds), parse.GetValue(_early));

        private static Uri? ParseAddress(ArgumentResult result)
        {
            var text = result.Tokens.Single().Value;
            // A relative path is put behind the address: its last segment must not be replaced.
            if (Uri.TryCreate(text.EndsWith('/') ? text : $"{text}/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
                return address;
            result.AddError($"{text}: not the address of a server, such as https://pccs.example:8081/");
            return null;
        }
    }
}
