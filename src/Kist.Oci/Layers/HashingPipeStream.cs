using System.Collections.Concurrent;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Reads a stream ahead on one thread and hashes it on another while the caller consumes it: decrypting and inflating,
/// the diff_id, and writing files each take about as long, and none waits for the others. Memory is a fixed ring of blocks.
/// </summary>
public sealed class HashingPipeStream : ForwardStream
{
    private const int BlockBytes = 256 * 1024;
    private const int Blocks = 8;

    private readonly BlockingCollection<Block> _free = new(Blocks);
    private readonly BlockingCollection<Block> _toHash = new(Blocks);
    private readonly BlockingCollection<Block> _toRead = new(Blocks);
    private readonly CancellationTokenSource _stop;
    private readonly IncrementalHash _hash;
    private readonly Task _reader;
    private readonly Task<byte[]> _hasher;
    private Block? _current;
    private int _offset;

    /// <summary>Starts reading. The source and the hash stay the caller's to dispose, after this.</summary>
    public HashingPipeStream(Stream source, IncrementalHash hash, CancellationToken cancellationToken)
    {
        _hash = hash;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (var i = 0; i < Blocks; i++)
            _free.Add(new Block(), CancellationToken.None);
        _reader = Task.Factory.StartNew(() => ReadAhead(source), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _hasher = Task.Factory.StartNew(HashAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var data = ReadInPlace(buffer.Length);
        data.CopyTo(buffer);
        return data.Length;
    }

    /// <summary>Reads without copying: the next bytes where they lie, valid until the next read. Empty at the end, or if nothing is asked for.</summary>
    public ReadOnlySpan<byte> ReadInPlace(int maxCount)
    {
        if (_current is not null && _offset == _current.Length)
        {
            Release(_current);
            _current = null;
        }

        if (maxCount == 0 || (_current is null && !TryNext()))
            return [];
        var data = _current!.Data.AsSpan(_offset, Math.Min(maxCount, _current.Length - _offset));
        _offset += data.Length;
        return data;
    }

    /// <summary>Reads what is left and returns the hash of all of it.</summary>
    public byte[] Finish()
    {
        do
        {
            if (_current is not null)
                Release(_current);
        }
        while (TryNext());

        return _hasher.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Cancel();
            try
            {
                Task.WaitAll(_reader, _hasher);
            }
            catch (AggregateException)
            {
                // Whoever reads has seen it, or stopped for another reason.
            }

            _free.Dispose();
            _toHash.Dispose();
            _toRead.Dispose();
            _stop.Dispose();
        }

        base.Dispose(disposing);
    }

    private void ReadAhead(Stream source)
    {
        try
        {
            while (true)
            {
                var block = _free.Take(_stop.Token);
                block.Length = source.ReadAtLeast(block.Data, BlockBytes, throwOnEndOfStream: false);
                if (block.Length == 0)
                    return;
                block.Users = 2;
                _toHash.Add(block, _stop.Token);
                _toRead.Add(block, _stop.Token);
            }
        }
        finally
        {
            _toHash.CompleteAdding();
            _toRead.CompleteAdding();
        }
    }

    private byte[] HashAll()
    {
        foreach (var block in _toHash.GetConsumingEnumerable(_stop.Token))
        {
            _hash.AppendData(block.Data, 0, block.Length);
            Release(block);
        }

        return _hash.GetHashAndReset();
    }

    private bool TryNext()
    {
        _offset = 0;
        if (_toRead.TryTake(out _current, Timeout.Infinite, _stop.Token))
            return true;
        _current = null;
        // The reader's own error, if it stopped for one.
        _reader.GetAwaiter().GetResult();
        return false;
    }

    private void Release(Block block)
    {
        if (Interlocked.Decrement(ref block.Users) == 0)
            _free.Add(block, CancellationToken.None);
    }

    private sealed class Block
    {
        public readonly byte[] Data = GC.AllocateUninitializedArray<byte>(BlockBytes);
        public int Length;
        public int Users;
    }
}
