using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>Works on one piece after the other, on a thread of its own.</summary>
interface IPieceWorker : IDisposable
{
    /// <summary>Works on a piece.</summary>
    void Work(long piece, long offset, int length);
}

/// <summary>Spreads the pieces of a file over all cores: threads of their own, each taking the next piece.</summary>
static class ParallelPieces
{
    /// <summary>Runs until all pieces are done, or one has failed.</summary>
    public static void Run(long length, int pieceBytes, Func<IPieceWorker> create, CancellationToken cancellationToken)
    {
        var pieces = (length + pieceBytes - 1) / pieceBytes;
        long next = -1;

        void Work()
        {
            using var worker = create();
            for (long piece; (piece = Interlocked.Increment(ref next)) < pieces;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var offset = piece * pieceBytes;
                worker.Work(piece, offset, (int)Math.Min(pieceBytes, length - offset));
            }
        }

        var workers = Enumerable.Range(0, (int)Math.Clamp(pieces, 1, Environment.ProcessorCount))
            .Select(_ => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WhenAll(workers).GetAwaiter().GetResult();
    }

    /// <summary>Reads all that is asked for.</summary>
    public static void ReadExactly(SafeFileHandle file, Span<byte> data, long offset)
    {
        while (!data.IsEmpty)
        {
            var count = RandomAccess.Read(file, data, offset);
            if (count == 0)
                throw new EndOfStreamException();
            data = data[count..];
            offset += count;
        }
    }
}
