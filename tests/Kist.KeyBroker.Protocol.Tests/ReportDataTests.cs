using System.Security.Cryptography;
using System.Text;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Protocol.Tests;

/// <summary>The known answers, computed with another implementation (Python's json with sorted keys).</summary>
public sealed class ReportDataTests
{
    private const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly JsonWebKey Key = JsonWebKey.Parse(
        """{"kty":"EC","crv":"P-256","alg":"ECDH-ES+A256KW","x":"ANbJDpVEC_bNPvuKERn1FkQMSuPWEzIQ7Y-kl3K0yEo","y":"eba_t8dP5Et0TPv0jdtCWba8l78-lTtyJSwWq0q0IQA"}"""u8);

    [Theory]
    [InlineData("sha384", "8966bc37b93f2a73ead88f5a2fc171788e01d465dcab5eeb691072d6cd4d38f680a0dd2df9c60f5c1152a146c43aa819")]
    [InlineData("sha512", "226a1ded2f95d9ae79cb64acae08893746e18beca0581f5136ab589567b84b46c8c1d63ea1c438beb59921fa9b7e1031835d9dd5b9b92055a162018adb61dbb7")]
    public void ForTee_KnownAnswer_IsReproduced(string algorithm, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(ReportData.ForTee(Nonce, Key, "", ReportData.AlgorithmOf(algorithm)!.Value)));

    [Fact]
    public void ForDevice_KnownAnswer_IsReproduced() =>
        Assert.Equal(
            "5550e44193284070cb05e90fb8193070d59d9ccc2bf4a05dcfdc6231909fe10db576ef1afa47f5e9ff708a36bda8a65b",
            Convert.ToHexStringLower(ReportData.ForDevice(Nonce, Key, HashAlgorithmName.SHA384)));

    [Fact]
    public void ForTee_UnknownMembersOfTheKey_DoNotCount()
    {
        var same = JsonWebKey.Parse(Encoding.UTF8.GetBytes(Key.ToString().Replace("{", "{\"kid\":\"x\",", StringComparison.Ordinal)));
        Assert.Equal(
            ReportData.ForTee(Nonce, Key, "", HashAlgorithmName.SHA384), ReportData.ForTee(Nonce, same, "", HashAlgorithmName.SHA384));
    }

    [Fact]
    public void ForTee_AdditionalEvidence_IsBound() =>
        Assert.NotEqual(
            ReportData.ForTee(Nonce, Key, "", HashAlgorithmName.SHA384), ReportData.ForTee(Nonce, Key, """{"nvidia":{}}""", HashAlgorithmName.SHA384));

    [Fact]
    public void AlgorithmOf_UnknownName_IsNull()
    {
        Assert.Equal(HashAlgorithmName.SHA384, ReportData.AlgorithmOf(null));
        Assert.Null(ReportData.AlgorithmOf("sm3"));
    }
}
