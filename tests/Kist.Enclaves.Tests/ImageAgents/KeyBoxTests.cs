using System.Security.Cryptography;
using Kist.Enclaves.ImageAgents;
using Kist.Formats;

namespace Kist.Enclaves.Tests.ImageAgents;

public sealed class KeyBoxTests : IDisposable
{
    private readonly ECDiffieHellman _maker = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDiffieHellman _receiver = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public void Dispose()
    {
        _maker.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public void Open_ByItsReceiver_GivesTheKey()
    {
        using var opened = KeyBox.Open(Box(), _receiver, _maker.ExportSubjectPublicKeyInfo());
        Assert.Equal(_key, opened.Span.ToArray());
    }

    [Fact]
    public void Open_ByAnotherOrChanged_IsRefused()
    {
        var maker = _maker.ExportSubjectPublicKeyInfo();
        using var stranger = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<OperationFailedException>(() => KeyBox.Open(Box(), stranger, maker));
        Assert.Throws<OperationFailedException>(() => KeyBox.Open(Box(), _receiver, stranger.ExportSubjectPublicKeyInfo()));
        for (var i = 0; i < 48; i++)
        {
            var box = Box();
            box[i] ^= 1;
            Assert.Throws<OperationFailedException>(() => KeyBox.Open(box, _receiver, maker));
        }
    }

    [Fact]
    public void Open_MalformedInput_IsRefusedAsSuch()
    {
        using var larger = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<MalformedDataException>(() => KeyBox.Open(Box().AsSpan(0, 47), _receiver, _maker.ExportSubjectPublicKeyInfo()));
        Assert.Throws<MalformedDataException>(() => KeyBox.Open(Box(), _receiver, [1, 2, 3]));
        Assert.Throws<MalformedDataException>(() => KeyBox.Open(Box(), _receiver, larger.ExportSubjectPublicKeyInfo()));
    }

    private byte[] Box() => KeyBox.Close(_key, _maker, _receiver.ExportSubjectPublicKeyInfo());
}
