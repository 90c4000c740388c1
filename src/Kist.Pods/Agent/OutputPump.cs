using System.Runtime.CompilerServices;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Agent;

/// <summary>
/// Reads one output stream of a process, from its first byte to its end. What has not been taken is not asked for, so that a
/// slow reader slows the program, as a pipe would.
/// </summary>
public static class OutputPump
{
    private const int Chunk = 256 << 10, WaitMilliseconds = 10_000;

    /// <summary>Reads until the stream ends.</summary>
    /// <exception cref="GuestLostException">The guest ended first; what came before it has been given.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        PodAgentClient agent, ProcessId process, OutputStream stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new ReadOutputRequest
        {
            ContainerId = process.ContainerId,
            ExecId = process.ExecId,
            Stream = stream,
            MaximumBytes = Chunk,
            WaitMilliseconds = WaitMilliseconds,
        };
        while (true)
        {
            var response = await agent.ReadOutputAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.Data.Length > 0)
                yield return response.Data.Memory;
            if (response.End)
                yield break;
            request.Offset += (ulong)response.Data.Length;
        }
    }

    /// <summary>Copies to a stream of the host until the process's stream ends.</summary>
    /// <returns>The number of bytes copied.</returns>
    /// <exception cref="GuestLostException">The guest ended first; what came before it has been written.</exception>
    public static async Task<long> CopyAsync(
        PodAgentClient agent, ProcessId process, OutputStream stream, Stream destination, CancellationToken cancellationToken = default)
    {
        var copied = 0L;
        await foreach (var data in ReadAsync(agent, process, stream, cancellationToken).ConfigureAwait(false))
        {
            await destination.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
            copied += data.Length;
        }

        return copied;
    }
}
