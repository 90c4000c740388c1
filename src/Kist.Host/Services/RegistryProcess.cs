using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Host;

/// <summary>Debian's docker-registry on loopback, ended with the process that started it.</summary>
internal sealed class RegistryProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly ChildProcess _child;

    private RegistryProcess(ChildProcess child) => _child = child;

    /// <summary>Completes if the registry ends.</summary>
    public Task<ChildExit> Exited => _child.Exited;

    /// <summary>Starts it and waits until it accepts connections.</summary>
    public static async Task<RegistryProcess> StartAsync(StateDirectory state, int port, CancellationToken cancellationToken)
    {
        const string program = "/usr/bin/docker-registry";
        if (!File.Exists(program))
            throw new OperationFailedException("start registry", program, "it is not installed", "apt-get install docker-registry");
        var configuration = Path.Combine(state.Services, "registry.yml");
        AtomicFile.Write(configuration, System.Text.Encoding.UTF8.GetBytes(WriteConfiguration(state, port)));

        var log = File.OpenHandle(Path.Combine(state.Logs, "registry.log"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        using (log)
        {
            var registry = new RegistryProcess(ChildProcess.StartTied(new ChildStart
            {
                Program = program,
                Arguments = ["serve", configuration],
                Files = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [1] = log, [2] = log },
            }));
            try
            {
                await registry.WaitUntilReadyAsync(port, Path.Combine(state.Logs, "registry.log"), cancellationToken).ConfigureAwait(false);
                return registry;
            }
            catch
            {
                await registry.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _child.Signal(Signals.Terminate);
        try
        {
            await _child.Exited.WaitAsync(StopTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _child.Signal(Signals.Kill);
            await _child.Exited.ConfigureAwait(false);
        }
    }

    private async Task WaitUntilReadyAsync(int port, string log, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartTimeout);
        while (true)
        {
            if (_child.Exited.IsCompleted)
                throw new OperationFailedException("start registry", $"127.0.0.1:{port}", "it ended at once", $"see {log}");
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", port, limit.Token).ConfigureAwait(false);
                return;
            }
            catch (SocketException)
            {
                // not listening yet
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken).ConfigureAwait(false);
        }

        throw new OperationFailedException("start registry", $"127.0.0.1:{port}", $"it does not answer after {StartTimeout.TotalSeconds:0} seconds", $"see {log}");
    }

    private static string WriteConfiguration(StateDirectory state, int port) => string.Create(CultureInfo.InvariantCulture, $"""
        version: 0.1
        log:
          level: warn
        storage:
          filesystem:
            rootdirectory: "{Path.Combine(state.Services, "registry").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}"
          delete:
            enabled: true
        http:
          addr: 127.0.0.1:{port}
          secret: {RandomNumberGenerator.GetHexString(32)}

        """);
}
