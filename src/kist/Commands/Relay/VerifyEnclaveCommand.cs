using System.CommandLine;
using Kist.Attestation;
using Kist.Cli.Commands.Enclaves;
using Kist.Cli.Commands.Verify;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Relay;
using Kist.Formats;

namespace Kist.Cli.Commands.Relay;

/// <summary>
/// "kist verify-enclave": challenges an enclave over RA-TLS, through whatever relays lie between, and compares it with
/// the reference. Exit code 0 only if the quote is genuine, binds nonce and TLS key, and is the expected enclave's.
/// </summary>
static class VerifyEnclaveCommand
{
    private static readonly Argument<string> s_address = new("ADDRESS") { Description = "The enclave or its relay: tcp://HOST:PORT or unix:PATH." };
    private static readonly Option<string?> s_name = new("--enclave", "-e") { Description = "Name of a stored reference (kist enclave reference), in place of values." };
    private static readonly EnclaveReferenceOptions s_values = new();
    private static readonly Option<string?> s_state = StateOption.Create();
    private static readonly Option<bool> s_json = new("--json") { Description = "Print the verdict as a JSON object." };
    private static readonly VerificationArguments s_arguments = new();

    public static Command Create()
    {
        var command = new Command("verify-enclave", "Challenge a running enclave and compare it with the reference; fails closed.")
        {
            s_address, s_name, s_json, s_state,
        };
        s_values.AddTo(command);
        s_arguments.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var reference = Reference(parse);
        reference.ToReferenceValues();
        var address = RelayAddress.Parse(parse.GetValue(s_address)!);
        var peer = new RaTlsPeer(reference, () => s_arguments.Options(parse));
        using var stream = await address.ConnectAsync(cancellationToken);
        var result = await ChallengeProtocol.ChallengeAsync(stream, peer, cancellationToken);
        Keep(parse, result, address.ToString());
        if (parse.GetValue(s_json))
            VerdictOutput.PrintJson(result.Verdict, address.ToString());
        else
            VerdictTree.Write(Console.Out, result.Verdict, Terminal.OutputHasColour, address.ToString());
        if (result.IsAccepted)
            return ExitCode.Success;
        Terminal.Error($"refused: {result.Reason}");
        return ExitCode.Refused;
    }

    private static EnclaveReference Reference(ParseResult parse)
    {
        if (parse.GetValue(s_name) is not { } name)
            return s_values.Read(parse);
        return s_values.Any(parse)
            ? throw new OperationFailedException("read reference", name, "a name and values are given, which may differ", "give one of them")
            : parse.References(s_state).Get(name, TimeProvider.System.GetUtcNow()).ToReference();
    }

    /// <summary>Records what was found, and says if another enclave answered at this address before.</summary>
    private static void Keep(ParseResult parse, EnclaveVerification result, string address)
    {
        var records = parse.Records(s_state);
        var before = records.LastMeasurement(address);
        var record = LaunchRecord.Of(result, address, parse.GetValue(s_name), TimeProvider.System.GetUtcNow());
        records.Append(record);
        if (before is not null && record is { Genuine: true, MrEnclave: { } now } && now != before)
            Terminal.Note($"MRENCLAVE at {address} was {before} before, and is {now}");
    }
}
