using Kist.Formats;

namespace Kist.Oci;

/// <summary>A part of a file as a stream of its own; closes the file.</summary>
sealed class SliceStream : ForwardStream
{
    private readonly FileStream _file;
    private readonly long _end;

    public SliceStream(FileStream file, long offset, long size)
    {
        _file = file;
        _end = offset + size;
        Length = size;
        _file.Position = offset;
    }

    public override long Length { get; }

    public override int Read(Span<byte> buffer) => _file.Read(buffer[..(int)Math.Min(buffer.Length, _end - _file.Position)]);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _end - _file.Position)], cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }
}
