using System.Text;
using Kist.Attestation.AzureVtpm;
using Kist.Attestation.Sev;
using Kist.Attestation.Tpm;
using Kist.Formats;

namespace Kist.Attestation.Tests;

/// <summary>RSA keys without a number, which a fuzzing run found: the platform's import fails on them with an exception of its own.</summary>
public sealed class EmptyRsaKeyTests
{
    [Fact]
    public void Parse_PublicAreaWithoutModulus_IsMalformed() => Assert.Throws<MalformedDataException>(() => TpmPublicArea.Parse(
        [0, 1, 0, 0x0B, 0, 5, 0, 0x72, 0, 0, 0, 0x10, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0]));

    [Theory]
    [InlineData("", "AQAB")]
    [InlineData("AQAB", "")]
    public void Parse_RuntimeDataWithoutNumbers_IsMalformed(string n, string e) => Assert.Throws<MalformedDataException>(() => HclRuntimeData.Parse(
        Encoding.ASCII.GetBytes($$"""{"keys":[{"kid":"HCLAkPub","kty":"RSA","n":"{{n}}","e":"{{e}}"}]}""")));

    [Fact]
    public void FromRsa_Zeros_IsNoKey()
    {
        Assert.Null(SevKey.FromRsa(new byte[256], [1, 0, 1]));
        Assert.Null(SevKey.FromRsa([1, 2, 3], new byte[4]));
    }
}
