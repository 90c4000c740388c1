using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Agent;

/// <summary>
/// Copies one output stream of a process, from its first byte to its end, to a stream of the host. What the host has
/// not written is not asked for, so that a slow reader slows the program, as a pipe would.
/// </summary>
public static class OutputPump
{
    private const int Chunk = 256 << 10, WaitMilliseconds = 10_000;

    /// <summary>Copies until the stream ends.</summary>
    /// <returns>The number of bytes copied.</returns>
    /// <exception cref="GuestLostException">The guest ended first; what came before it has been written.</exception>
    public static async Task<long> CopyAsync(
        PodAgentClient agent, ProcessId process, OutputStream stream, Stream destination, CancellationToken cancellationToken = default)
    {
        ulong offset = 0;
        while (true)
        {
            var response = await agent.ReadOutputAsync(
                new ReadOutputRequest
                {
                    ContainerId = process.ContainerId,
                    ExecId = process.ExecId,
                    Stream = stream,
                    Offset = offset,
                    MaximumBytes = Chunk,
                    WaitMilliseconds = WaitMilliseconds,
                },
                cancellationToken).ConfigureAwait(false);
            if (response.Data.Length > 0)
            {
                await destination.WriteAsync(response.Data.Memory, cancellationToken).ConfigureAwait(false);
                await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
                offset += (ulong)response.Data.Length;
            }

            if (response.End)
                return (long)offset;
        }
    }
}
