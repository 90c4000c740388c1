using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// Reads a stream ahead on one thread and hashes it on another while the caller consumes it: decrypting and inflating,
/// the diff_id, and writing files each take about as long, and none waits for the others. Memory is a fixed ring of blocks.
/// </summary>
public sealed class HashingPipeStream : ForwardStream
{
    // Large, for each hand-over may have to wake a core.
    private const int BlockBytes = 1024 * 1024;
    private const int Blocks = 6;

    private readonly BlockQueue _free = new();
    private readonly BlockQueue _toHash = new();
    private readonly BlockQueue _toRead = new();
    private readonly CancellationTokenRegistration _cancellation;
    private readonly IncrementalHash _hash;
    private readonly Task _reader;
    private readonly Task<byte[]> _hasher;
    private Block? _current;
    private int _offset;

    /// <summary>Starts reading. The source and the hash stay the caller's to dispose, after this.</summary>
    public HashingPipeStream(Stream source, IncrementalHash hash, CancellationToken cancellationToken)
    {
        _hash = hash;
        for (var i = 0; i < Blocks; i++)
            _free.Add(new Block(BlockBytes));
        _cancellation = cancellationToken.Register(Cancel);
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
            _cancellation.Dispose();
            Cancel();
            try
            {
                Task.WaitAll(_reader, _hasher);
            }
            catch (AggregateException)
            {
                // Whoever reads has seen it, or stopped for another reason.
            }
        }

        base.Dispose(disposing);
    }

    private void Cancel()
    {
        _free.Cancel();
        _toHash.Cancel();
        _toRead.Cancel();
    }

    private void ReadAhead(Stream source)
    {
        try
        {
            while (_free.Take() is { } block)
            {
                block.Length = source.ReadAtLeast(block.Data, BlockBytes, throwOnEndOfStream: false);
                if (block.Length == 0)
                    return;
                block.Users = 2;
                _toHash.Add(block);
                _toRead.Add(block);
            }
        }
        finally
        {
            _toHash.Complete();
            _toRead.Complete();
        }
    }

    private byte[] HashAll()
    {
        while (_toHash.Take() is { } block)
        {
            _hash.AppendData(block.Data, 0, block.Length);
            Release(block);
        }

        return _hash.GetHashAndReset();
    }

    private bool TryNext()
    {
        _offset = 0;
        _current = _toRead.Take();
        if (_current is not null)
            return true;
        // The reader's own error, if it stopped for one.
        _reader.GetAwaiter().GetResult();
        return false;
    }

    private void Release(Block block)
    {
        if (Interlocked.Decrement(ref block.Users) == 0)
            _free.Add(block);
    }
}
