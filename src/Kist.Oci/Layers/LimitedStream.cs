using Kist.Formats;

namespace Kist.Oci;

/// <summary>Stops a decompressor that makes too much of too little.</summary>
sealed class LimitedStream(Stream inner, long compressedBytes, LayerLimits limits) : ForwardStream
{
    private readonly long _limit = Math.Min(
        limits.MaxArchiveBytes,
        Math.Max(limits.FreeExpansionBytes, compressedBytes > long.MaxValue / limits.MaxExpansion ? long.MaxValue : compressedBytes * limits.MaxExpansion));

    private long _read;

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        _read += count;
        return _read <= _limit ? count : throw new MalformedDataException(
            "layer", -1, $"unpacks to more than {_limit} bytes from {compressedBytes}: it looks like a decompression bomb");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
