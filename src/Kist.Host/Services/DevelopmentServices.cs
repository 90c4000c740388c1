using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Host;

/// <summary>Starts and stops the development services from other processes.</summary>
public static class DevelopmentServices
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until the services that were just started answer.</summary>
    /// <exception cref="OperationFailedException">They do not in a minute.</exception>
    public static async Task<ServiceEndpoints> WaitUntilServingAsync(StateDirectory state, string log, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var seen = false;
        while (TimeProvider.System.GetElapsedTime(started) < StartTimeout)
        {
            if (ServiceEndpoints.TryRead(state) is { } endpoints)
                return endpoints;
            var held = ServiceLock.IsHeld(state);
            if (seen && !held)
                break;
            seen |= held;
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }

        throw new OperationFailedException("start services", state.Services, $"they do not answer: {LastLine(log)}", $"see {log}");
    }

    /// <summary>Stops the services. False if none ran.</summary>
    public static async Task<bool> StopAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        if (ServiceEndpoints.TryRead(state) is not { } endpoints)
            return false;
        Signals.Send(endpoints.ProcessId, Signals.Terminate);
        var started = TimeProvider.System.GetTimestamp();
        while (ServiceLock.IsHeld(state))
        {
            if (TimeProvider.System.GetElapsedTime(started) > StopTimeout)
                Signals.Send(endpoints.ProcessId, Signals.Kill);
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static string LastLine(string log) =>
        File.Exists(log) && File.ReadLines(log).LastOrDefault(l => l.Length > 0) is { } line ? line : "they said nothing";
}
