using System.CommandLine;
using Kist.Enclaves.Relay;

namespace Kist.Cli.Commands.Relay;

/// <summary>"kist relay": connects a network address with an enclave's socket. It ends no TLS and sees ciphertext only.</summary>
static class RelayCommand
{
    private static readonly Option<string> s_listen = new("--listen", "-l") { Description = "Where to listen: tcp://ADDRESS:PORT or unix:PATH.", Required = true };
    private static readonly Option<string> s_to = new("--to", "-x") { Description = "Where to connect: tcp://HOST:PORT or unix:PATH.", Required = true };

    public static Command Create()
    {
        var command = new Command("relay", "Pass bytes between a network address and an enclave's socket.") { s_listen, s_to };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        using var relay = ByteRelay.Listen(RelayAddress.Parse(parse.GetValue(s_listen)!), RelayAddress.Parse(parse.GetValue(s_to)!));
        Terminal.Note($"relay listens on {relay.Address}");
        try
        {
            await relay.RunAsync(Terminal.Note, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Stopped from outside: that is how a relay ends.
        }

        return ExitCode.Success;
    }
}
