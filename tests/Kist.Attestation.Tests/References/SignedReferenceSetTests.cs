using System.Security.Cryptography;
using System.Text;
using Kist.Attestation.References;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Attestation.Tests.References;

public sealed class SignedReferenceSetTests
{
    private static readonly byte[] s_set = """{"name":"a","tee":"tdx","claims":{"quote.body.mr_td":["00"]}}"""u8.ToArray();

    [Theory]
    [InlineData("nistP256")]
    [InlineData("nistP384")]
    public void Sign_ThenParse_GivesTheBytesToItsSignerOnly(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        using var other = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        var text = SignedReferenceSet.Sign(s_set, key);

        var signed = SignedReferenceSet.Parse($"{text}\n");

        Assert.Equal(s_set, signed.Payload.ToArray());
        Assert.True(signed.IsSignedBy(key.ExportSubjectPublicKeyInfo()));
        Assert.False(signed.IsSignedBy(other.ExportSubjectPublicKeyInfo()));
        Assert.Equal(EcJsonWebKey.FromPublicKey(key, null).Thumbprint(), signed.KeyId);
        Assert.True(SignedReferenceSet.Recognises(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void Parse_EveryCharacterChanged_IsNeverSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signer = key.ExportSubjectPublicKeyInfo();
        var text = SignedReferenceSet.Sign(s_set, key).ToCharArray();
        for (var i = 0; i < text.Length; i++)
        {
            var was = text[i];
            text[i] = was == 'A' ? 'B' : 'A';
            Assert.False(IsGood(new string(text), signer), $"signed with character {i} changed");
            text[i] = was;
        }

        Assert.True(IsGood(new string(text), signer));
    }

    [Fact]
    public void Parse_TokenOverSomethingElse_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = JwsToken.Sign(key, s_set, header => header.WriteString("typ", "JWT"));

        Assert.Throws<MalformedDataException>(() => SignedReferenceSet.Parse(token));
        Assert.False(SignedReferenceSet.Recognises(Encoding.ASCII.GetBytes(token)));
        Assert.False(SignedReferenceSet.Recognises(s_set));
    }

    [Fact]
    public void IsSignedBy_KeyThatIsNone_IsMalformed()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var signed = SignedReferenceSet.Parse(SignedReferenceSet.Sign(s_set, key));

        Assert.Throws<MalformedDataException>(() => signed.IsSignedBy([1, 2, 3]));
        Assert.Throws<MalformedDataException>(() => signed.IsSignedBy(rsa.ExportSubjectPublicKeyInfo()));
        Assert.Throws<MalformedDataException>(() => signed.IsSignedBy([.. key.ExportSubjectPublicKeyInfo(), 0]));
    }

    private static bool IsGood(string text, byte[] signer)
    {
        try
        {
            return SignedReferenceSet.Parse(text).IsSignedBy(signer);
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }
}
