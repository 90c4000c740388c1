using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Polling;

/// <summary>
/// Asynchronous reading and writing of a pipe, a terminal or a device that supports poll, without a thread a file. One
/// reader and one writer at a time. Owns the file.
/// </summary>
public sealed partial class PolledStream : Stream
{
    private const int GetFlags = 3, SetFlags = 4, NonBlocking = 0x800;

    private readonly SafeFileHandle _file;
    private readonly string _name;
    private readonly long _key;
    private readonly ReadinessGate _readable = new();
    private readonly ReadinessGate _writable = new();
    private volatile bool _disposed;

    /// <summary>Takes over an open file and makes it non-blocking.</summary>
    public PolledStream(SafeFileHandle file, string name)
    {
        _file = file;
        _name = name;
        var flags = SystemCallException.Check(fcntl(file, GetFlags, 0), "read flags", name);
        SystemCallException.Check(fcntl(file, SetFlags, flags | NonBlocking), "make non-blocking", name);
        _key = PollLoop.Shared.Watch(this, file);
    }

    /// <summary>The open file, for ioctls.</summary>
    public SafeFileHandle Handle => _file;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Reads what is there, waiting for the first byte. 0 is the end; so is EIO, which a terminal's master gives once
    /// the other side is closed.
    /// </summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var edge = _readable.Next;
            ObjectDisposedException.ThrowIf(_disposed, this);
            var count = read(_file, buffer.Span, (nuint)buffer.Length);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.EINTR:
                    break;
                case Errno.EAGAIN:
                    await edge.WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case Errno.EIO:
                    return 0;
                default:
                    throw new IOException($"read {_name}", SystemCallException.Last("read", _name));
            }
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var edge = _writable.Next;
            ObjectDisposedException.ThrowIf(_disposed, this);
            var count = write(_file, buffer.Span, (nuint)buffer.Length);
            if (count >= 0)
            {
                buffer = buffer[(int)count..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.EINTR:
                    break;
                case Errno.EAGAIN:
                    await edge.WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new IOException($"write {_name}", SystemCallException.Last("write", _name));
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("write asynchronously");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    internal void OnReady(bool readable, bool writable)
    {
        if (readable)
            _readable.Open();
        if (writable)
            _writable.Open();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            PollLoop.Shared.Unwatch(_key, _file);
            _file.Dispose();
            OnReady(readable: true, writable: true);
        }

        base.Dispose(disposing);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle file, Span<byte> buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle file, ReadOnlySpan<byte> buffer, nuint count);
}
