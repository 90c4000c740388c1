using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Images;

/// <summary>Reads a proven layer once and decrypts it.</summary>
sealed class SpoolReader(LayerSpool spool, long length, PrivateLayerOptions? secrets) : ForwardStream
{
    private readonly Aes256Ctr? _ctr = secrets is null ? null : new Aes256Ctr(secrets.SymmetricKey, secrets.Nonce);
    private long _position;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = spool.Read(buffer);
        _ctr?.Transform(buffer[..count], buffer, _position);
        _position += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _ctr?.Dispose();
        base.Dispose(disposing);
    }
}
