namespace Kist.Agent.Containers;

/// <summary>
/// One output stream of a container: takes what the program writes until it is full, and gives it out by offset. What
/// lies before the offset of a read is forgotten; a program that nobody reads is stopped by its full pipe.
/// </summary>
sealed class OutputBuffer
{
    public const int Capacity = 256 << 10;

    private readonly Lock _lock = new();
    private byte[] _data = [];
    private int _length;
    private ulong _start;
    private bool _ended;
    private TaskCompletionSource _changed = New();

    /// <summary>True once the policy has let the host read this stream; it is asked before the first read only.</summary>
    public bool IsReleased { get; set; }

    /// <summary>Copies a stream to its end.</summary>
    public async Task FillAsync(Stream source)
    {
        var chunk = new byte[16 << 10];
        try
        {
            for (int read; (read = await source.ReadAsync(chunk)) > 0;)
                await AppendAsync(chunk.AsMemory(0, read));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The container was removed.
        }
        finally
        {
            lock (_lock)
            {
                _ended = true;
                Change();
            }
        }
    }

    /// <summary>Reads from an offset, waiting for the first byte or the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset lies before what is kept, or beyond what was written.</exception>
    public async Task<(ReadOnlyMemory<byte> Data, bool End)> ReadAsync(ulong offset, int maximum, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(wait);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                Forget(offset);
                if (_length > 0 || _ended || wait == TimeSpan.Zero)
                {
                    var count = Math.Min(maximum, _length);
                    return (_data.AsSpan(0, count).ToArray(), _ended && count == _length);
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return (ReadOnlyMemory<byte>.Empty, false);
            }
        }
    }

    private async Task AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_length + bytes.Length <= Capacity)
                {
                    Reserve(_length + bytes.Length);
                    bytes.Span.CopyTo(_data.AsSpan(_length));
                    _length += bytes.Length;
                    Change();
                    return;
                }

                changed = _changed.Task;
            }

            await changed;
        }
    }

    private void Forget(ulong offset)
    {
        if (offset < _start || offset > _start + (ulong)_length)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"bytes {_start} to {_start + (ulong)_length} are here");
        var count = (int)(offset - _start);
        if (count == 0)
            return;
        _data.AsSpan(count, _length - count).CopyTo(_data);
        _length -= count;
        _start = offset;
        Change();
    }

    private void Reserve(int length)
    {
        if (_data.Length < length)
            Array.Resize(ref _data, Math.Min(Capacity, Math.Max(length, Math.Max(4096, _data.Length * 2))));
    }

    private void Change()
    {
        var changed = _changed;
        _changed = New();
        changed.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
