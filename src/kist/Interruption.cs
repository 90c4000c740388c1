using System.Runtime.InteropServices;

namespace Kist.Cli;

/// <summary>
/// What Ctrl-C and a request to end do: commands are cancelled and tidy up. A foreground container gets these signals
/// instead, and ends when its program does.
/// </summary>
static class Interruption
{
    private static readonly CancellationTokenSource Source = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static volatile Action<PosixSignal>? s_receiver;

    /// <summary>Begins to listen. The token is cancelled by the first signal that nobody else takes.</summary>
    public static CancellationToken Watch()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
            Registrations.Add(PosixSignalRegistration.Create(signal, Handle));
        return Source.Token;
    }

    /// <summary>From now on signals go to <paramref name="receiver"/> and cancel nothing.</summary>
    public static void ForwardTo(Action<PosixSignal> receiver) => s_receiver = receiver;

    private static void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (s_receiver is { } receiver)
            receiver(context.Signal);
        else
            Source.Cancel();
    }
}
