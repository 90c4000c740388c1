using CsCheck;
using Kist.Images.Ocicrypt;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class Aes256CtrTests
{
    // NIST SP 800-38A, F.5.5, CTR-AES256.Encrypt.
    private const string Key = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    private const string Counter = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    private const string Plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    private const string Cipher = "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transform_NistVector_Matches(bool useInstructions)
    {
        Assert.SkipWhen(useInstructions && !System.Runtime.Intrinsics.X86.Aes.IsSupported, "no AES instructions here");
        using var ctr = new Aes256Ctr(Convert.FromHexString(Key), Convert.FromHexString(Counter), useInstructions);
        var output = new byte[64];
        ctr.Transform(Convert.FromHexString(Plain), output, 0);
        Assert.Equal(Cipher, Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Transform_AnyOffsetAndLength_EqualsTheOtherImplementation()
    {
        Assert.SkipWhen(!System.Runtime.Intrinsics.X86.Aes.IsSupported, "no AES instructions here");
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[16], Gen.Byte.Array[0, 2000], Gen.Long[0, 1L << 40]).Sample((key, nonce, data, offset) =>
        {
            using var fast = new Aes256Ctr(key, nonce, useInstructions: true);
            using var library = new Aes256Ctr(key, nonce, useInstructions: false);
            var one = new byte[data.Length];
            var other = new byte[data.Length];
            fast.Transform(data, one, offset);
            library.Transform(data, other, offset);
            return one.AsSpan().SequenceEqual(other);
        }, iter: 300);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transform_InPieces_EqualsInOne(bool useInstructions)
    {
        Assert.SkipWhen(useInstructions && !System.Runtime.Intrinsics.X86.Aes.IsSupported, "no AES instructions here");
        Gen.Select(Gen.Byte.Array[0, 5000], Gen.Int[0, 5000]).Sample((data, cut) =>
        {
            using var ctr = new Aes256Ctr(new byte[32], Convert.FromHexString(Counter), useInstructions);
            cut = Math.Min(cut, data.Length);
            var whole = new byte[data.Length];
            var pieces = new byte[data.Length];
            ctr.Transform(data, whole, 0);
            ctr.Transform(data.AsSpan(0, cut), pieces, 0);
            ctr.Transform(data.AsSpan(cut), pieces.AsSpan(cut), cut);
            return whole.AsSpan().SequenceEqual(pieces);
        }, iter: 300);
    }

    [Fact]
    public void Transform_CounterOverflows_EqualsOpenssl()
    {
        using var directory = new TemporaryDirectory();
        var nonce = new string('f', 32);
        File.WriteAllBytes(directory["plain"], new byte[1000]);
        ExternalProgram.Run("openssl", ["enc", "-aes-256-ctr", "-K", Key, "-iv", nonce, "-in", directory["plain"], "-out", directory["cipher"]]);
        using var ctr = new Aes256Ctr(Convert.FromHexString(Key), Convert.FromHexString(nonce));
        var output = new byte[1000];
        ctr.Transform(output, output, 0);
        Assert.Equal(File.ReadAllBytes(directory["cipher"]), output);
    }
}
