using System.Runtime.InteropServices;
using Kist.Linux;
using Kist.Linux.Processes;

namespace Kist.Enclaves.Host;

/// <summary>
/// Passes signals that arrive at the enclave host on to the application. On a terminal the kernel itself gives the
/// keyboard's signals to both, so those are not passed on a second time.
/// </summary>
sealed class SignalRelay : IDisposable
{
    private static readonly int[] s_always = [1, 10, 12, 15, 18];
    private static readonly int[] s_keyboard = [2, 3, 28];

    private readonly List<PosixSignalRegistration> _registrations = [];

    public SignalRelay(int pid, bool terminal)
    {
        foreach (var signal in s_always)
            Register(signal, pid, pass: true);
        foreach (var signal in s_keyboard)
            Register(signal, pid, pass: !terminal);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Register(int signal, int pid, bool pass) =>
        _registrations.Add(PosixSignalRegistration.Create((PosixSignal)signal, context =>
        {
            context.Cancel = true;
            if (!pass)
                return;
            try
            {
                Signals.Send(pid, signal);
            }
            catch (SystemCallException)
            {
                // It ended at the same moment.
            }
        }));
}
