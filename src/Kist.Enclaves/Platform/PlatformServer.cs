using Kist.Enclaves.Simulation;
using Kist.Linux;
using Kist.Linux.Network;

namespace Kist.Enclaves.Platform;

/// <summary>
/// The simulated platform: the one process that holds the simulated processor's secret. Every enclave process has a
/// connection of its own, served by a thread.
/// </summary>
public sealed class PlatformServer : IDisposable
{
    private readonly SimulatedProcessor _processor;
    private readonly PacketSocket _listener;
    private readonly string _path;
    private readonly LaunchTable _launches = new();
    private readonly Action<string> _log;
    private readonly Lock _lock = new();
    private readonly Thread _accepting;
    private readonly HashSet<PacketSocket> _connections = [];
    private readonly TimeProvider _time;
    private long _idleSince;
    private bool _isEnding;

    /// <summary>Listens at <paramref name="path"/>, which must not exist.</summary>
    /// <param name="processor">The processor; the caller disposes it.</param>
    /// <param name="path">Path of the socket. Whoever may write to it may launch enclaves.</param>
    /// <param name="log">Is told one line a launch and a refusal.</param>
    /// <param name="time">The clock.</param>
    public PlatformServer(SimulatedProcessor processor, string path, Action<string> log, TimeProvider time)
    {
        _processor = processor;
        _path = path;
        _log = log;
        _time = time;
        _listener = PacketSocket.Listen(path);
        _idleSince = time.GetTimestamp();
        _accepting = new Thread(AcceptConnections, 256 << 10) { IsBackground = true, Name = "platform" };
        _accepting.Start();
    }

    /// <summary>
    /// Takes no more connections if there has been none for so long. Whoever connected before has been answered, and whoever
    /// connects later sees his connection closed without an answer, so nobody believes in a platform that is about to go.
    /// </summary>
    public bool TryEnd(TimeSpan idle)
    {
        lock (_lock)
        {
            if (_connections.Count == 0 && _time.GetElapsedTime(_idleSince) > idle)
                _isEnding = true;
            return _isEnding;
        }
    }

    /// <summary>Removes the socket and closes all connections.</summary>
    public void Dispose()
    {
        File.Delete(_path);
        _listener.Shutdown();
        lock (_lock)
        {
            _isEnding = true;
            foreach (var connection in _connections)
                connection.Shutdown();
        }

        // It returns at once, since the socket is shut down; only then may that be closed.
        _accepting.Join();
        _listener.Dispose();
        _launches.Dispose();
    }

    private void AcceptConnections()
    {
        while (_listener.Accept() is { } connection)
        {
            lock (_lock)
            {
                if (_isEnding)
                {
                    connection.Dispose();
                    continue;
                }

                _connections.Add(connection);
            }

            new Thread(() => Serve(connection), 1 << 20) { IsBackground = true, Name = "enclave" }.Start();
        }
    }

    private void Serve(PacketSocket connection)
    {
        var session = new PlatformSession(_processor, _launches, _log);
        try
        {
            while (connection.Receive(PlatformMessage.MaxSize) is { } request)
            {
                using (request)
                using (var reply = session.Answer(request))
                    connection.Send(reply.Data, [.. reply.Files]);
            }
        }
        catch (SystemCallException e)
        {
            _log($"connection dropped: {e.Message}");
        }
        finally
        {
            session.Dispose();
            lock (_lock)
            {
                _connections.Remove(connection);
                _idleSince = _time.GetTimestamp();
            }

            connection.Dispose();
        }
    }
}
