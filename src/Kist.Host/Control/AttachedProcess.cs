using System.Net.Sockets;
using System.Text;
using Kist.Formats;

namespace Kist.Host;

/// <summary>The streams of a process in a guest, through its pod's supervisor. Disposing it lets an executed process end.</summary>
public sealed class AttachedProcess : IDisposable
{
    private readonly Socket _socket;
    private readonly SemaphoreSlim _writing = new(1, 1);

    internal AttachedProcess(Socket socket, bool terminal, bool interactive) => (_socket, IsTerminal, IsInteractive) = (socket, terminal, interactive);

    /// <summary>True if the process has a terminal.</summary>
    public bool IsTerminal { get; }

    /// <summary>True if its standard input is read.</summary>
    public bool IsInteractive { get; }

    /// <summary>Carries the streams until the process ends.</summary>
    /// <param name="console">Gets the output, and gives the input.</param>
    /// <param name="withInput">True if input is passed on.</param>
    /// <param name="cancellationToken">Leaves the process.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="OperationFailedException">The guest or its supervisor ended first.</exception>
    public async Task<int> RunAsync(IContainerConsole console, bool withInput, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var input = withInput ? PassInputAsync(console, ended.Token) : Task.CompletedTask;
        try
        {
            while (await ReadAsync(cancellationToken).ConfigureAwait(false) is { } frame)
            {
                switch (frame.Kind)
                {
                    case StreamFrameKind.Stdout or StreamFrameKind.Stderr:
                        await console.WriteAsync(frame.Kind == StreamFrameKind.Stdout ? OutputSource.Stdout : OutputSource.Stderr, frame.Data, cancellationToken).ConfigureAwait(false);
                        break;
                    case StreamFrameKind.Exit:
                        return frame.Number(0);
                    default:
                        throw Lost(frame.Kind == StreamFrameKind.Error ? Encoding.UTF8.GetString(frame.Data.Span) : "its supervisor speaks nonsense");
                }
            }

            throw Lost("its supervisor hung up");
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await input.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tells the size of the caller's terminal.</summary>
    public Task ResizeAsync(int rows, int columns, CancellationToken cancellationToken) =>
        WriteAsync(StreamFrame.OfNumbers(StreamFrameKind.Resize, rows, columns), cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _writing.Dispose();
    }

    private async Task PassInputAsync(IContainerConsole console, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 << 10];
        int count;
        while ((count = await console.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            await WriteAsync(new StreamFrame(StreamFrameKind.Input, buffer.AsMemory(0, count)), cancellationToken).ConfigureAwait(false);
        await WriteAsync(new StreamFrame(StreamFrameKind.InputEnd, default), cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteAsync(StreamFrame frame, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await frame.WriteAsync(_socket, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task<StreamFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await StreamFrame.ReadAsync(_socket, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw Lost(e.Message);
        }
    }

    private static OperationFailedException Lost(string reason) => new("follow process", "guest", reason, "see: kist ps -a");
}
