using System.CommandLine;
using Kist.Enclaves.Attestation;

namespace Kist.Cli.Commands.Enclaves;

/// <summary>The options that say which enclave is expected.</summary>
sealed class EnclaveReferenceOptions
{
    private readonly Option<string[]> _mrEnclave = new("--mrenclave") { Description = "Accepted MRENCLAVE; may be given more than once.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string[]> _mrSigner = new("--mrsigner") { Description = "Accepted MRSIGNER; needs --product and --svn unless --mrenclave is given too.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<ushort?> _product = new("--product") { Description = "Expected ISVPRODID." };
    private readonly Option<ushort?> _version = new("--svn") { Description = "Least acceptable ISVSVN." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _mrEnclave, _mrSigner, _product, _version })
            command.Add(option);
    }

    /// <summary>True if any of them is given.</summary>
    public bool Any(ParseResult parse) =>
        parse.GetValue(_mrEnclave) is { Length: > 0 } || parse.GetValue(_mrSigner) is { Length: > 0 } || parse.GetValue(_product) is not null || parse.GetValue(_version) is not null;

    public EnclaveReference Read(ParseResult parse) => new()
    {
        MrEnclave = [.. parse.GetValue(_mrEnclave) ?? []],
        MrSigner = [.. parse.GetValue(_mrSigner) ?? []],
        Product = parse.GetValue(_product),
        MinimumVersion = parse.GetValue(_version),
    };
}
