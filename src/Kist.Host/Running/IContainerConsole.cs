namespace Kist.Host;

/// <summary>Whoever started the container in the foreground: gets its output, gives its input.</summary>
public interface IContainerConsole
{
    /// <summary>Passes output on.</summary>
    ValueTask WriteAsync(OutputSource source, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Reads input. 0 at its end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}
