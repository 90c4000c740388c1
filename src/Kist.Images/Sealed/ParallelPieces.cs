using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Images.Sealed;

/// <summary>Works on one piece after the other, on a thread of its own.</summary>
interface IPieceWorker : IDisposable
{
    /// <summary>Gets ready for a piece, before it is known which it will be and whether there is one.</summary>
    void Prepare()
    {
    }

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
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                worker.Prepare();
                var piece = Interlocked.Increment(ref next);
                if (piece >= pieces)
                    return;
                var offset = piece * pieceBytes;
                worker.Work(piece, offset, (int)Math.Min(pieceBytes, length - offset));
            }
        }

        var workers = Enumerable.Range(0, (int)Math.Clamp(pieces, 1, Environment.ProcessorCount))
            .Select(_ => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        try
        {
            Task.WaitAll(workers, CancellationToken.None);
        }
        catch (AggregateException e)
        {
            // Those who stopped because of another's failure are not the reason.
            ExceptionDispatchInfo.Throw(e.InnerExceptions.FirstOrDefault(i => i is not OperationCanceledException) ?? e.InnerExceptions[0]);
        }
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
