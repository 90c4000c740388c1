using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Linux.Files;

namespace Kist.Images;

/// <summary>Reads a proven layer once, decrypts it, and gives its blocks back while it goes: in a guest they are memory.</summary>
sealed class SpoolReader(FileStream file, long length, PrivateLayerOptions? secrets) : ForwardStream
{
    private const long PunchBytes = 4 * 1024 * 1024;

    private readonly Aes256Ctr? _ctr = secrets is null ? null : new Aes256Ctr(secrets.SymmetricKey, secrets.Nonce);
    private long _position;
    private long _punched;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(file.SafeFileHandle, buffer, _position);
        _ctr?.Transform(buffer[..count], buffer, _position);
        _position += count;
        if (_position - _punched >= PunchBytes)
        {
            // Where the file system cannot, the space comes back when the file is closed.
            DirectoryHandle.TryPunchHole(file.SafeFileHandle, _punched, _position - _punched);
            _punched = _position;
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _ctr?.Dispose();
        base.Dispose(disposing);
    }
}
