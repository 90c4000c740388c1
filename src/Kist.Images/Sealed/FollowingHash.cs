using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>
/// Hashes a file from its start while others write its pieces in any order: a thread that waits for the next piece.
/// Disposing waits until all has been hashed, or gives up if not all will come.
/// </summary>
sealed class FollowingHash(SafeFileHandle file, long length, IncrementalHash hash) : IDisposable
{
    private readonly bool[] _written = new bool[(length + SealedBlobWriter.PieceBytes - 1) / SealedBlobWriter.PieceBytes];
    private readonly object _changed = new();
    private Task? _following;
    private bool _ending;

    public void Start() => _following = Task.Factory.StartNew(Follow, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Says that a piece has been written.</summary>
    public void Report(long piece)
    {
        lock (_changed)
        {
            _written[piece] = true;
            Monitor.Pulse(_changed);
        }
    }

    public void Dispose()
    {
        lock (_changed)
        {
            _ending = true;
            Monitor.Pulse(_changed);
        }

        _following?.GetAwaiter().GetResult();
    }

    private void Follow()
    {
        var buffer = new byte[SealedBlobWriter.PieceBytes];
        for (var piece = 0; piece < _written.Length; piece++)
        {
            if (!Wait(piece))
                return;
            var offset = (long)piece * buffer.Length;
            var data = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset));
            ParallelPieces.ReadExactly(file, data, offset);
            hash.AppendData(data);
        }
    }

    /// <summary>False if the piece will never come, because its writer failed.</summary>
    private bool Wait(int piece)
    {
        lock (_changed)
        {
            while (!_written[piece])
            {
                if (_ending)
                    return false;
                Monitor.Wait(_changed);
            }

            return true;
        }
    }
}
