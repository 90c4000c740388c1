using System.Security.Cryptography;

namespace Kist.Images.Sealed;

/// <summary>
/// Hashes pieces in their order while several threads make them in any: a thread that takes each piece from its maker's hands,
/// so that nothing is read twice. Buffers are few: who makes faster than this hashes waits for one.
/// </summary>
sealed class FollowingHash : IDisposable
{
    private readonly IncrementalHash _hash;
    private readonly object _changed = new();
    private readonly Dictionary<long, (byte[] Buffer, int Length)> _made = [];
    private readonly Stack<byte[]> _free = new();
    private readonly long _pieces;
    private readonly Task _following;
    private bool _ending;

    /// <summary>Starts the thread.</summary>
    /// <param name="hash">Where the pieces go.</param>
    /// <param name="pieces">How many there will be.</param>
    /// <param name="pieceBytes">Bytes of a piece; the last may have fewer.</param>
    /// <param name="buffers">How many buffers there are: more than makers.</param>
    public FollowingHash(IncrementalHash hash, long pieces, int pieceBytes, int buffers)
    {
        (_hash, _pieces) = (hash, pieces);
        for (var i = 0; i < buffers; i++)
            _free.Push(GC.AllocateUninitializedArray<byte>(pieceBytes));
        _following = Task.Factory.StartNew(Follow, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>
    /// Waits for a buffer. A maker takes it before it takes a piece, so the piece that is hashed next always has one.
    /// </summary>
    public byte[] TakeBuffer()
    {
        lock (_changed)
        {
            while (_free.Count == 0)
            {
                if (_ending)
                    throw new OperationCanceledException("another piece has failed");
                Monitor.Wait(_changed);
            }

            return _free.Pop();
        }
    }

    /// <summary>Gives a buffer back that was not needed.</summary>
    public void Return(byte[] buffer)
    {
        lock (_changed)
        {
            _free.Push(buffer);
            Monitor.PulseAll(_changed);
        }
    }

    /// <summary>Hands over a piece. Its buffer may not be touched any more.</summary>
    public void Report(long piece, byte[] buffer, int length)
    {
        lock (_changed)
        {
            _made.Add(piece, (buffer, length));
            Monitor.PulseAll(_changed);
        }
    }

    /// <summary>Says that a piece will never come: nobody shall wait for it, or for the buffers of those behind it.</summary>
    public void Abandon()
    {
        lock (_changed)
        {
            _ending = true;
            Monitor.PulseAll(_changed);
        }
    }

    /// <summary>Waits until all has been hashed, or gives up if not all will come.</summary>
    public void Dispose()
    {
        Abandon();
        _following.GetAwaiter().GetResult();
    }

    private void Follow()
    {
        for (long piece = 0; piece < _pieces && Take(piece) is { } made; piece++)
        {
            _hash.AppendData(made.Buffer, 0, made.Length);
            Return(made.Buffer);
        }
    }

    /// <summary>Null if the piece will never come, because its maker failed.</summary>
    private (byte[] Buffer, int Length)? Take(long piece)
    {
        lock (_changed)
        {
            while (true)
            {
                if (_made.Remove(piece, out var made))
                    return made;
                if (_ending)
                    return null;
                Monitor.Wait(_changed);
            }
        }
    }
}
