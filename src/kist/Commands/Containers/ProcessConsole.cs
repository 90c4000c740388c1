using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary>This process's own standard streams, as bytes.</summary>
sealed class ProcessConsole : IContainerConsole, IDisposable
{
    private readonly Stream _input = Console.OpenStandardInput();
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly Stream _error = Console.OpenStandardError();

    public async ValueTask WriteAsync(OutputSource source, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var stream = source == OutputSource.Stdout ? _output : _error;
        await stream.WriteAsync(data, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    // A blocking read cannot be cancelled, so it goes on by itself; the process does not wait for it when it ends.
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        await Task.Run(() => _input.Read(buffer.Span), cancellationToken).WaitAsync(cancellationToken);

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }
}
