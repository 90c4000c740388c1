using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// Decrypts a layer while it is read and judges its HMAC before it reports its end. What it returns before that is not
/// authentic: it is for callers that throw everything away on failure (a proof, a copy that is committed at the end) and
/// never for unpacking.
/// </summary>
/// <param name="cipher">The ciphertext; closed with this stream.</param>
/// <param name="secrets">The layer's secrets; they stay the caller's.</param>
/// <param name="options">The layer's public options.</param>
/// <param name="subject">The layer, for messages.</param>
sealed class DecryptingStream(Stream cipher, PrivateLayerOptions secrets, PublicLayerOptions options, string subject) : ForwardStream
{
    private readonly Aes256Ctr _ctr = new(secrets.SymmetricKey, secrets.Nonce);
    private readonly IncrementalHash _hmac = LayerCipher.CreateHmac(secrets);
    private long _position;
    private bool _proven;

    public override long Length => cipher.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = cipher.Read(buffer);
        Decrypt(buffer[..count], buffer.Length);
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await cipher.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Decrypt(buffer.Span[..count], buffer.Length);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            cipher.Dispose();
            _ctr.Dispose();
            _hmac.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Decrypt(Span<byte> data, int asked)
    {
        _hmac.AppendData(data);
        _ctr.Transform(data, data, _position);
        _position += data.Length;
        if (!data.IsEmpty || asked == 0 || _proven)
            return;
        LayerCipher.CheckHmac(_hmac.GetHashAndReset(), options, subject);
        _proven = true;
    }
}
