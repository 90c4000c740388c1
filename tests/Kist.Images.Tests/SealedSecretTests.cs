using System.Security.Cryptography;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Secrets;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class SealedSecretTests
{
    [Theory]
    [InlineData("sealed-secret/vault-test.txt", "kbs:///default/sealed-secret/test")]
    [InlineData("sealed-secret/vault-instruct.txt", "kbs:///default/ngc-api-key/instruct")]
    public void Parse_SecretOfKata_VerifiesAndNamesItsResource(string path, string name)
    {
        var secret = SealedSecret.Parse(System.Text.Encoding.ASCII.GetString(Evidence.Read(path)).Trim());
        Assert.Equal(name, secret.Payload.Name);
        Assert.Equal("kbs:///default/signing-key/sealed-secret", secret.KeyId);
        Assert.True(secret.Verify(JsonWebKey.Parse(Evidence.Read("sealed-secret/public-jwk.json"))));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.False(secret.Verify(EcJsonWebKey.FromPublicKey(other, null)));
    }

    [Fact]
    public void Payload_Samples_AreRead()
    {
        Assert.Equal("xxx", SealedSecretPayload.Parse(Evidence.Read("sealed-secret/payload/vault-1.json")).Name);
        Assert.Equal("zzz", SealedSecretPayload.Parse(Evidence.Read("sealed-secret/payload/envelope-1.json")).EncryptedData);
    }

    [Fact]
    public void SealVault_ReadsBack_AndAnyOtherCharacterIsRefused()
    {
        using var author = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = EcJsonWebKey.FromPublicKey(author, null);
        var text = SealedSecret.SealVault("kbs:///default/a/b", author, "kbs:///default/signing-key/1");
        var secret = SealedSecret.Parse(text);
        Assert.True(secret.Verify(key));
        Assert.Equal("kbs:///default/a/b", secret.Payload.Name);
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            try
            {
                Assert.False(SealedSecret.Parse(changed).Verify(key), $"character {i}");
            }
            catch (MalformedDataException)
            {
                // Noticed even earlier.
            }
        }
    }

    [Theory]
    [InlineData("""{"version":"0.1.0","type":"vault","provider":"kbs"}""")]
    [InlineData("""{"version":"0.2.0","type":"vault","provider":"kbs","name":"x"}""")]
    [InlineData("""{"version":"0.1.0","type":"other","provider":"kbs","name":"x"}""")]
    [InlineData("""{"version":"0.1.0","type":"vault","provider":"kbs","name":"x","name":"y"}""")]
    [InlineData("[]")]
    public void Payload_Wrong_IsMalformed(string json) =>
        Assert.Throws<MalformedDataException>(() => SealedSecretPayload.Parse(System.Text.Encoding.UTF8.GetBytes(json)));
}
