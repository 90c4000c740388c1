using System.Security.Cryptography;
using CsCheck;
using Kist.Attestation.X509;

namespace Kist.Attestation.Tests.X509;

/// <summary>Keys in libcrypto agree with the platform's ECDsa, on good signatures and on changed ones.</summary>
public sealed class PublicKeyTests
{
    public static TheoryData<int> Sizes => new(32, 48, 66);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void VerifyEcdsaHash_RandomSignatures_AgreesWithThePlatform(int size)
    {
        using var key = ECDsa.Create(size switch { 32 => ECCurve.NamedCurves.nistP256, 48 => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
        var ours = PublicKey.Parse(key.ExportSubjectPublicKeyInfo())!;
        Assert.Equal(size, ours.Size);
        Gen.Select(Gen.Byte.Array[32], Gen.Int[0, (2 * size) - 1], Gen.Byte).Sample(
            (hash, at, change) =>
            {
                var signature = key.SignHash(hash);
                Assert.True(ours.VerifyEcdsaHash(hash, signature));
                signature[at] ^= change;
                return key.VerifyHash(hash, signature) == ours.VerifyEcdsaHash(hash, signature);
            },
            iter: 200);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void VerifyEcdsaHash_EdgeNumbers_AreRefused(int size)
    {
        using var key = ECDsa.Create(size switch { 32 => ECCurve.NamedCurves.nistP256, 48 => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
        var ours = PublicKey.Parse(key.ExportSubjectPublicKeyInfo())!;
        var hash = new byte[32];
        var zero = new byte[size];
        var one = new byte[size];
        one[^1] = 1;
        var all = Enumerable.Repeat((byte)0xff, size).ToArray();
        foreach (var r in new[] { zero, one, all })
        {
            foreach (var s in new[] { zero, one, all })
                Assert.False(ours.VerifyEcdsaHash(hash, (byte[])[.. r, .. s]));
        }

        Assert.False(ours.VerifyEcdsaHash(hash, new byte[(2 * size) - 1]));
        Assert.False(ours.VerifyEcdsaHash(hash, []));
    }

    [Fact]
    public void FromP256_PointOffTheCurve_IsNull()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        byte[] xy = [.. q.X!, .. q.Y!];
        Assert.NotNull(PublicKey.FromP256(xy));
        xy[63] ^= 1;
        Assert.Null(PublicKey.FromP256(xy));
        Assert.Null(PublicKey.FromP256(new byte[64]));
        Assert.Null(PublicKey.FromP256(new byte[63]));
    }

    [Fact]
    public void WriteDer_AnyNumbers_AreReadBack() => Gen.Byte.Array[64].Sample(rs =>
    {
        Span<byte> der = stackalloc byte[EcdsaSignature.MaxDerSize];
        var back = new byte[64];
        return EcdsaSignature.TryReadDer(der[..EcdsaSignature.WriteDer(rs, der)], back) && back.AsSpan().SequenceEqual(rs);
    });
}
