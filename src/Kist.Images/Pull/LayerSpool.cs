using System.Security.Cryptography;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Images;

/// <summary>
/// Where a layer waits, as it came, between its fetch and its use: written once, then read once, both from the start. What was
/// read is given back while the reading goes on: in a guest all of it is memory.
/// </summary>
abstract class LayerSpool : IDisposable
{
    /// <summary>Adds bytes at the end.</summary>
    public abstract void Write(ReadOnlySpan<byte> data);

    /// <summary>Reads the next bytes; 0 at the end.</summary>
    public abstract int Read(Span<byte> buffer);

    public abstract void Dispose();

    /// <summary>A spool for a layer of this length: in memory if the budget still has that much, else in a file without a name.</summary>
    public static LayerSpool Create(long length, string directory, SpoolBudget budget) =>
        budget.TryTake(length) ? new MemorySpool(length, budget) : new FileSpool(directory);
}

/// <summary>How much memory all spools of a pull may take together.</summary>
sealed class SpoolBudget(long bytes)
{
    private long _left = bytes;

    public bool TryTake(long length)
    {
        if (Interlocked.Add(ref _left, -length) >= 0)
            return true;
        Release(length);
        return false;
    }

    public void Release(long length) => Interlocked.Add(ref _left, length);
}

/// <summary>A spool in pieces of memory, each of which goes back to the kernel when it has been read.</summary>
sealed class MemorySpool(long length, SpoolBudget budget) : LayerSpool
{
    private const int PieceBytes = 4 * 1024 * 1024;

    private readonly Queue<AnonymousMemory> _pieces = new();
    private AnonymousMemory? _last;
    private long _written;
    private long _read;
    private bool _disposed;

    public override void Write(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var at = (int)(_written % PieceBytes);
            if (at == 0)
                _pieces.Enqueue(_last = AnonymousMemory.Allocate((int)Math.Clamp(length - _written, 1, PieceBytes)));
            var room = _last!.Span[at..];
            if (room.IsEmpty)
                throw new InvalidOperationException("more than was announced");
            var count = Math.Min(room.Length, data.Length);
            data[..count].CopyTo(room);
            data = data[count..];
            _written += count;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var at = (int)(_read % PieceBytes);
        var count = (int)Math.Min(Math.Min(buffer.Length, PieceBytes - at), _written - _read);
        if (count == 0)
            return 0;
        _pieces.Peek().Span.Slice(at, count).CopyTo(buffer);
        _read += count;
        if (_read % PieceBytes == 0)
            _pieces.Dequeue().Dispose();
        return count;
    }

    public override void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (var piece in _pieces)
            piece.Dispose();
        _pieces.Clear();
        budget.Release(length);
    }
}

/// <summary>A spool in a file that has no name, so that nothing is left when the process ends.</summary>
sealed class FileSpool : LayerSpool
{
    private const long PunchBytes = 4 * 1024 * 1024;

    private readonly FileStream _file;
    private long _written;
    private long _read;
    private long _punched;

    public FileSpool(string directory)
    {
        var path = Path.Combine(directory, "layer-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1);
        File.Delete(path);
    }

    public override void Write(ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, data, _written);
        }
        catch (IOException e)
        {
            throw new OperationFailedException("store layer", _file.Name, e.Message, "there must be room for the image's compressed layers", inner: e);
        }

        _written += data.Length;
    }

    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(_file.SafeFileHandle, buffer, _read);
        _read += count;
        if (_read - _punched >= PunchBytes)
        {
            // Where the file system cannot, the space comes back when the file is closed.
            DirectoryHandle.TryPunchHole(_file.SafeFileHandle, _punched, _read - _punched);
            _punched = _read;
        }

        return count;
    }

    public override void Dispose() => _file.Dispose();
}
