using System.Numerics;
using System.Security.Cryptography;
using Kist.Simulator.Crypto;

namespace Kist.Simulator.Tests.Crypto;

/// <summary>RFC 6979, appendix A.2.5 and A.2.6.</summary>
public sealed class DeterministicEcdsaTests
{
    [Theory]
    [InlineData("sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")]
    [InlineData("test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083")]
    public void Sign_P256WithSha256_IsTheRfcsSignature(string message, string expected)
    {
        var key = DeterministicEcdsa.P256(Less1("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"));
        Assert.Equal(expected, Convert.ToHexString(key.Sign(System.Text.Encoding.ASCII.GetBytes(message))));
    }

    [Fact]
    public void Sign_P384WithSha384_IsTheRfcsSignature()
    {
        var key = DeterministicEcdsa.P384(Less1("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5"));
        Assert.Equal(
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
            + "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
            Convert.ToHexString(key.Sign("sample"u8)));
    }

    [Fact]
    public void Sign_ManyMessages_AreAcceptedByThePlatform()
    {
        var key = new SeedDerivation(new byte[32]).P256Key("test");
        using var check = key.CreatePublicKey();
        for (var i = 0; i < 200; i++)
        {
            var message = BitConverter.GetBytes(i);
            Assert.True(check.VerifyData(message, key.Sign(message), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
            Assert.True(check.VerifyData(message, key.SignDer(message), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
    }

    [Fact]
    public void Seed_OfAnotherLength_IsRefused() => Assert.Throws<ArgumentException>(() => SimulatedVendor.FromSeed(new byte[31]));

    // The key is made of random bytes by reduction and adding one.
    private static byte[] Less1(string hex) =>
        (new BigInteger(Convert.FromHexString(hex), isUnsigned: true, isBigEndian: true) - 1).ToByteArray(isUnsigned: true, isBigEndian: true);
}
