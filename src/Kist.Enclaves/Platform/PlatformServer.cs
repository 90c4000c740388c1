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
    private readonly HashSet<PacketSocket> _connections = [];
    private readonly TimeProvider _time;
    private long _idleSince;

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
        new Thread(AcceptConnections, 256 << 10) { IsBackground = true, Name = "platform" }.Start();
    }

    /// <summary>How long there has been no connection; zero while there is one.</summary>
    public TimeSpan IdleTime
    {
        get
        {
            lock (_lock)
                return _connections.Count > 0 ? TimeSpan.Zero : _time.GetElapsedTime(_idleSince);
        }
    }

    /// <summary>Closes all connections and removes the socket.</summary>
    public void Dispose()
    {
        _listener.Shutdown();
        File.Delete(_path);
        lock (_lock)
        {
            foreach (var connection in _connections)
                connection.Shutdown();
        }

        _listener.Dispose();
        _launches.Dispose();
    }

    private void AcceptConnections()
    {
        while (_listener.Accept() is { } connection)
        {
            lock (_lock)
                _connections.Add(connection);
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
