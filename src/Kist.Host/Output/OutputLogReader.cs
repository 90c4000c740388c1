using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Kist.Host;

/// <summary>Reads what <see cref="OutputLogWriter"/> keeps, and waits for more if asked.</summary>
public static class OutputLogReader
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>All chunks of a log.</summary>
    /// <param name="path">The log; it need not exist yet.</param>
    /// <param name="follow">Asked whenever the end is reached: true if more may come.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async IAsyncEnumerable<OutputChunk> ReadAsync(
        string path, Func<bool> follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (!File.Exists(path))
        {
            if (!follow())
                yield break;
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var pending = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            // Asked before reading: what was written before the container ended is then read after it has ended.
            var mayGrow = follow();
            int count;
            while ((count = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                foreach (var chunk in TakeLines(pending, buffer.AsMemory(0, count)))
                    yield return chunk;
            }

            if (!mayGrow)
                yield break;
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static List<OutputChunk> TakeLines(MemoryStream pending, ReadOnlyMemory<byte> bytes)
    {
        var chunks = new List<OutputChunk>();
        while (bytes.Span.IndexOf((byte)'\n') is var end and >= 0)
        {
            pending.Write(bytes.Span[..end]);
            if (Parse(pending.GetBuffer().AsMemory(0, (int)pending.Length)) is { } chunk)
                chunks.Add(chunk);
            pending.SetLength(0);
            bytes = bytes[(end + 1)..];
        }

        pending.Write(bytes.Span);
        return chunks;
    }

    private static OutputChunk? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var source = root.GetProperty("stream").ValueEquals("stdout"u8) ? OutputSource.Stdout : OutputSource.Stderr;
            return new OutputChunk(root.GetProperty("time").GetDateTimeOffset(), source, root.GetProperty("data").GetBytesFromBase64())
            {
                Container = root.TryGetProperty("container", out var container) ? container.GetString() ?? "" : "",
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            return new OutputChunk(default, OutputSource.Stderr, Encoding.UTF8.GetBytes("kist: a damaged line was left out of the log\n"));
        }
    }
}
