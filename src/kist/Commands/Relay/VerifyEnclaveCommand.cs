using System.CommandLine;
using Kist.Attestation;
using Kist.Cli.Commands.Verify;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Relay;

namespace Kist.Cli.Commands.Relay;

/// <summary>
/// "kist verify-enclave": challenges an enclave over RA-TLS, through whatever relays lie between, and compares it with
/// the reference. Exit code 0 only if the quote is genuine, binds nonce and TLS key, and is the expected enclave's.
/// </summary>
static class VerifyEnclaveCommand
{
    private static readonly Argument<string> s_address = new("ADDRESS") { Description = "The enclave or its relay: tcp://HOST:PORT or unix:PATH." };
    private static readonly Option<string[]> s_mrEnclave = new("--mrenclave") { Description = "Accepted MRENCLAVE; may be given more than once.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> s_mrSigner = new("--mrsigner") { Description = "Accepted MRSIGNER; needs --product and --svn unless --mrenclave is given too.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<ushort?> s_product = new("--product") { Description = "Expected ISVPRODID." };
    private static readonly Option<ushort?> s_version = new("--svn") { Description = "Least acceptable ISVSVN." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print the verdict as a JSON object." };
    private static readonly VerificationArguments s_arguments = new();

    public static Command Create()
    {
        var command = new Command("verify-enclave", "Challenge a running enclave and compare it with the reference; fails closed.")
        {
            s_address, s_mrEnclave, s_mrSigner, s_product, s_version, s_json,
        };
        s_arguments.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var reference = new EnclaveReference
        {
            MrEnclave = [.. parse.GetValue(s_mrEnclave) ?? []],
            MrSigner = [.. parse.GetValue(s_mrSigner) ?? []],
            Product = parse.GetValue(s_product),
            MinimumVersion = parse.GetValue(s_version),
        };
        reference.ToReferenceValues();
        var address = RelayAddress.Parse(parse.GetValue(s_address)!);
        var peer = new RaTlsPeer(reference, () => s_arguments.Options(parse));
        using var stream = await address.ConnectAsync(cancellationToken);
        var result = await ChallengeProtocol.ChallengeAsync(stream, peer, cancellationToken);
        if (parse.GetValue(s_json))
            VerdictOutput.PrintJson(result.Verdict, address.ToString());
        else
            VerdictTree.Write(Console.Out, result.Verdict, Terminal.OutputHasColour, address.ToString());
        if (result.IsAccepted)
            return ExitCode.Success;
        Terminal.Error($"refused: {result.Reason}");
        return ExitCode.Refused;
    }
}
