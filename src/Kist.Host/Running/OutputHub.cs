using System.Collections.Immutable;

namespace Kist.Host;

/// <summary>
/// Everybody who follows a container's output: the log, the foreground, and those who attached later. A listener that takes
/// its time slows the program, as a pipe would; one that fails is left out from then on.
/// </summary>
sealed class OutputHub
{
    private ImmutableList<Listener> _listeners = [];

    /// <summary>Adds a listener until the result is disposed.</summary>
    public IDisposable Add(Func<OutputSource, ReadOnlyMemory<byte>, Task> listen)
    {
        var listener = new Listener(this, listen);
        ImmutableInterlocked.Update(ref _listeners, l => l.Add(listener));
        return listener;
    }

    /// <summary>Passes output on.</summary>
    public async Task WriteAsync(OutputSource source, ReadOnlyMemory<byte> data)
    {
        foreach (var listener in _listeners)
        {
            try
            {
                await listener.Listen(source, data).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or OperationCanceledException or ObjectDisposedException)
            {
                listener.Dispose();
            }
        }
    }

    private sealed class Listener(OutputHub hub, Func<OutputSource, ReadOnlyMemory<byte>, Task> listen) : IDisposable
    {
        public Func<OutputSource, ReadOnlyMemory<byte>, Task> Listen => listen;

        public void Dispose() => ImmutableInterlocked.Update(ref hub._listeners, l => l.Remove(this));
    }
}
