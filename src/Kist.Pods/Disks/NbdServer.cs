using System.Buffers;
using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Pods.Disks;

/// <summary>
/// Serves one read-only disk to one client (NBD protocol, doc/proto.md of the NetworkBlockDevice project): fixed newstyle
/// negotiation, simple replies. Requests are answered as their blocks arrive, in any order, so that a block that has to be
/// fetched does not hold up others.
/// <code>
/// request (28 bytes)           reply (16 bytes)            all big-endian
///  0 4 magic 0x25609513         0 4 magic 0x67446698
///  4 2 flags                    4 4 error (errno)
///  6 2 type                     8 8 cookie, then the data of a read
///  8 8 cookie
/// 16 8 offset  24 4 length
/// </code>
/// </summary>
public sealed class NbdServer : IDisposable
{
    private const uint RequestMagic = 0x25609513, ReplyMagic = 0x67446698;
    private const int RequestSize = 28, ReplySize = 16;
    private const uint InputOutputError = 5, NotPermitted = 1, Invalid = 22;
    private const ushort ReadCommand = 0, DisconnectCommand = 2, FlushCommand = 3;

    /// <summary>The largest read that is answered: what QEMU asks for at most.</summary>
    private const int MaximumRead = 32 << 20;

    private const int MaximumConcurrentReads = 32;

    private readonly Stream _client;
    private readonly IBlockSource _source;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SemaphoreSlim _reading = new(MaximumConcurrentReads, MaximumConcurrentReads);

    private NbdServer(Stream client, IBlockSource source)
    {
        _client = client;
        _source = source;
    }

    /// <summary>Serves until the client disconnects. Throws for cancellation only: a client that errs loses its disk.</summary>
    /// <param name="client">The connection; it is closed.</param>
    /// <param name="source">The disk.</param>
    /// <param name="cancellationToken">Hangs up.</param>
    public static async Task ServeAsync(Stream client, IBlockSource source, CancellationToken cancellationToken)
    {
        using var server = new NbdServer(client, source);
        try
        {
            if (await NbdNegotiation.RunAsync(client, source.Length, cancellationToken).ConfigureAwait(false))
                await server.AnswerAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or MalformedDataException)
        {
            // The client is gone, or speaks something else: hang up.
        }
        finally
        {
            await client.DisposeAsync().ConfigureAwait(false);
            for (var i = 0; i < MaximumConcurrentReads; i++)
                await server._reading.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reading.Dispose();
        _writing.Dispose();
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var request = new byte[RequestSize];
        while (true)
        {
            await _client.ReadExactlyAsync(request, cancellationToken).ConfigureAwait(false);
            if (BinaryPrimitives.ReadUInt32BigEndian(request) != RequestMagic)
                throw new MalformedDataException("NBD request", 0, "wrong magic number");
            var type = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(6));
            var cookie = BinaryPrimitives.ReadUInt64BigEndian(request.AsSpan(8));
            var offset = BinaryPrimitives.ReadUInt64BigEndian(request.AsSpan(16));
            var length = BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(24));
            switch (type)
            {
                case ReadCommand when length is 0 or > MaximumRead || offset > (ulong)_source.Length || length > (ulong)_source.Length - offset:
                    await ReplyAsync(cookie, Invalid, default, cancellationToken).ConfigureAwait(false);
                    break;
                case ReadCommand:
                    await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
                    _ = ReadAsync(cookie, (long)offset, (int)length, cancellationToken);
                    break;
                case DisconnectCommand:
                    return;
                case FlushCommand:
                    await ReplyAsync(cookie, 0, default, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    // A write carries its data behind it, which a read-only disk need not follow.
                    await ReplyAsync(cookie, NotPermitted, default, cancellationToken).ConfigureAwait(false);
                    return;
            }
        }
    }

    private async Task ReadAsync(ulong cookie, long offset, int length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var data = buffer.AsMemory(0, length);
            uint error = 0;
            try
            {
                await _source.ReadAsync(offset, data, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationFailedException or IOException or MalformedDataException)
            {
                error = InputOutputError;
            }

            await ReplyAsync(cookie, error, error == 0 ? data : default, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client is gone.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _reading.Release();
        }
    }

    private async Task ReplyAsync(ulong cookie, uint error, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var head = new byte[ReplySize];
        BinaryPrimitives.WriteUInt32BigEndian(head, ReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), error);
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(8), cookie);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _client.WriteAsync(head, cancellationToken).ConfigureAwait(false);
            if (!data.IsEmpty)
                await _client.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }
}
