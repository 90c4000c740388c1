namespace Kist.Oci;

/// <summary>A block of bytes that goes from thread to thread.</summary>
sealed class Block(int bytes)
{
    /// <summary>Its bytes, of which <see cref="Length"/> count.</summary>
    public readonly byte[] Data = GC.AllocateUninitializedArray<byte>(bytes);

    /// <summary>How many bytes it has now.</summary>
    public int Length;

    /// <summary>Who still needs it.</summary>
    public int Users;
}

/// <summary>
/// Hands blocks from one thread to another. Whoever waits sleeps: the library's blocking collection spins first, which takes the
/// core from those who would fill the queue.
/// </summary>
sealed class BlockQueue
{
    private readonly Queue<Block> _blocks = new();
    private bool _completed;
    private bool _cancelled;

    public void Add(Block block)
    {
        lock (_blocks)
        {
            _blocks.Enqueue(block);
            Monitor.Pulse(_blocks);
        }
    }

    /// <summary>Says that no more will come.</summary>
    public void Complete()
    {
        lock (_blocks)
        {
            _completed = true;
            Monitor.PulseAll(_blocks);
        }
    }

    /// <summary>Ends all waiting, now and later.</summary>
    public void Cancel()
    {
        lock (_blocks)
        {
            _cancelled = true;
            Monitor.PulseAll(_blocks);
        }
    }

    /// <summary>Waits for the next; null if no more will come.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Block? Take()
    {
        lock (_blocks)
        {
            while (!_cancelled)
            {
                if (_blocks.TryDequeue(out var block))
                    return block;
                if (_completed)
                    return null;
                Monitor.Wait(_blocks);
            }

            throw new OperationCanceledException();
        }
    }
}
