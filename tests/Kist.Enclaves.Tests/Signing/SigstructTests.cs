using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;
using Kist.Testing;

namespace Kist.Enclaves.Tests.Signing;

public sealed class SigstructTests
{
    private static readonly SigstructFields s_fields = new()
    {
        EnclaveHash = SHA256.HashData("enclave"u8),
        Date = new DateOnly(2026, 11, 24),
        IsvProdId = 7,
        IsvSvn = 3,
    };

    [Theory]
    [InlineData(
        "launch/sgx/test_enclave.sig",
        "784acfd7d5096a8f0fbd3265760bff21b120f62407a9a9e5ba31aa3c8ed198fc",
        "fb4bab3d6036ac1d730fa83d7366df1dd2dfeac194ef335d6854d8a6c6475542", 65535, 4)]
    [InlineData(
        "launch/sgx/inclavare-hello-world.sig",
        "7470ffc919e823e0f6a9592e05fe523b228b491865aadf0cfe7ce5ddd31412b5",
        "5bde1ae94215c4ad6c6c4430ba880fd841b2184637ac907a44b832b1b226bbd4", 0, 6)]
    public void FindDefect_RealSigstruct_HasNone(string path, string hash, string signer, int product, int flags)
    {
        var sigstruct = Sigstruct.Parse(Evidence.Read(path));
        Assert.Null(SigstructVerifier.FindDefect(sigstruct));
        Assert.Equal(hash, Convert.ToHexStringLower(sigstruct.EnclaveHash));
        Assert.Equal(signer, Convert.ToHexStringLower(sigstruct.MrSigner()));
        Assert.Equal(product, sigstruct.IsvProdId);
        Assert.Equal((EnclaveTraits)flags, sigstruct.Attributes.Flags);
    }

    /// <summary>Fields and digest are those of the sigstruct test of oasis-core and rust-sgx (sig1), as published.</summary>
    [Fact]
    public void SigningMaterial_FieldsOfPublishedSample_HasItsDigest()
    {
        var material = SigstructComposer.SigningMaterial(new SigstructFields
        {
            EnclaveHash = Convert.FromHexString("c50673624a6cb17c1c6c2a4e6906f47a170c4629b8723781d1017ef376f1a75d"),
            Date = new DateOnly(2016, 1, 9),
            AttributeMask = new SgxAttributes((EnclaveTraits)~2ul, ~0xe4ul),
        });
        Assert.Equal(
            "ea7ced3b8c78324bce65ad851152a125fd1989df324dc72b244ed5f44573ac95",
            Convert.ToHexStringLower(SHA256.HashData(material)));
    }

    [Fact]
    public void Sign_ThenParse_VerifiesAndKeepsFields()
    {
        var sigstruct = Sigstruct.Parse(SigstructComposer.Sign(s_fields, SigningKeys.First).Bytes);
        Assert.Null(SigstructVerifier.FindDefect(sigstruct));
        Assert.Equal(0x20261124u, sigstruct.Date);
        Assert.Equal(7, sigstruct.IsvProdId);
        Assert.Equal(3, sigstruct.IsvSvn);
        Assert.Equal(SigningKeys.First.MrSigner(), sigstruct.MrSigner());
        Assert.Equal(SigstructComposer.SigningMaterial(s_fields), SigstructFields.Of(sigstruct).ToSignedBytes());
    }

    [Fact]
    public void Sign_RealFieldsAgain_GivesTheSameSignedBytes()
    {
        var real = Sigstruct.Parse(Evidence.Read("launch/sgx/inclavare-hello-world.sig"));
        Assert.Equal(real.SignedBytes(), SigstructFields.Of(real).ToSignedBytes());
    }

    /// <summary>Every byte is either checked by the parser or covered by the signature and its quotients.</summary>
    [Fact]
    public void ParseAndFindDefect_AnyByteChanged_IsNoticed()
    {
        var good = SigstructComposer.Sign(s_fields, SigningKeys.First).Bytes.ToArray();
        for (var offset = 0; offset < good.Length; offset++)
        {
            var bad = (byte[])good.Clone();
            bad[offset] ^= 0x10;
            Assert.True(IsNoticed(bad), $"a change at offset {offset} passed");
        }
    }

    [Fact]
    public void Parse_EveryOtherLength_IsRefused()
    {
        var good = SigstructComposer.Sign(s_fields, SigningKeys.First).Bytes.ToArray();
        for (var length = 0; length < good.Length; length += 13)
            Assert.Throws<MalformedDataException>(() => Sigstruct.Parse(good.AsSpan(0, length)));
        Assert.Throws<MalformedDataException>(() => Sigstruct.Parse([.. good, 0]));
    }

    [Fact]
    public void Assemble_SignatureOfAnotherKey_IsRefused()
    {
        var material = SigstructComposer.SigningMaterial(s_fields);
        var signature = SigningKeys.Second.Sign(material);
        var error = Assert.Throws<OperationFailedException>(
            () => SigstructComposer.Assemble(material, SigningKeys.First.Modulus, signature));
        Assert.Equal("assemble SIGSTRUCT", error.Step);
        var sigstruct = SigstructComposer.Assemble(material, SigningKeys.Second.Modulus, signature);
        Assert.Equal(SigstructComposer.Sign(s_fields, SigningKeys.Second).Bytes, sigstruct.Bytes);
    }

    [Theory]
    [InlineData(EnclaveTraits.Mode64Bit, 3, true)]
    [InlineData(EnclaveTraits.Mode64Bit, 7, true)]
    [InlineData(EnclaveTraits.Mode64Bit | EnclaveTraits.Debug, 3, false)]
    [InlineData(EnclaveTraits.Mode64Bit | EnclaveTraits.ProvisionKey, 3, false)]
    public void FindDefect_AttributesOfTheEnclave_AreHeldAgainstTheMask(EnclaveTraits flags, ulong xfrm, bool accepted)
    {
        var sigstruct = SigstructComposer.Sign(s_fields, SigningKeys.First);
        var secs = new Secs
        {
            EnclaveSize = 0x2000,
            SsaFrameSize = 1,
            Attributes = new SgxAttributes(flags, xfrm),
            MrEnclave = s_fields.EnclaveHash.Span,
        };
        Assert.Equal(accepted, SigstructVerifier.FindDefect(sigstruct, secs) is null);
    }

    [Fact]
    public void FindDefect_OtherMeasurement_IsNamed()
    {
        var sigstruct = SigstructComposer.Sign(s_fields, SigningKeys.First);
        var secs = new EnclaveImage(0x2000, 1, []).ToSecs(s_fields.Attributes);
        Assert.Contains("ENCLAVEHASH", SigstructVerifier.FindDefect(sigstruct, secs), StringComparison.Ordinal);
    }

    [Fact]
    public void ToSignedBytes_FamilyIdWithoutKss_IsRefused()
    {
        var fields = s_fields with { IsvFamilyId = RandomNumberGenerator.GetBytes(16) };
        Assert.Throws<ArgumentException>(() => fields.ToSignedBytes());
        var kss = fields with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.Kss, 3) };
        var sigstruct = SigstructComposer.Sign(kss, SigningKeys.First);
        Assert.Equal(fields.IsvFamilyId.Span, sigstruct.IsvFamilyId);
    }

    [Fact]
    public void FromPem_ExportedKey_IsTheSameKey()
    {
        var pem = SigningKeys.First.ExportPem();
        using var key = EnclaveSigningKey.FromPem(pem);
        Assert.Equal(SigningKeys.First.MrSigner(), key.MrSigner());
        Assert.Equal(
            SigningKeys.First.Modulus,
            EnclaveSigningKey.ModulusFromPem(Encoding.ASCII.GetBytes(SigningKeys.First.ExportPublicPem())));
    }

    [Fact]
    public void FromPem_ExponentOf65537_IsRefused()
    {
        using var rsa = RSA.Create(3072);
        var pem = Encoding.ASCII.GetBytes(rsa.ExportRSAPrivateKeyPem());
        var error = Assert.Throws<MalformedDataException>(() => EnclaveSigningKey.FromPem(pem));
        Assert.Contains("exponent", error.Message, StringComparison.Ordinal);
        Assert.Throws<MalformedDataException>(() => EnclaveSigningKey.FromPem("-----BEGIN NOTHING-----"u8));
    }

    private static bool IsNoticed(byte[] bytes)
    {
        try
        {
            return SigstructVerifier.FindDefect(Sigstruct.Parse(bytes)) is not null;
        }
        catch (MalformedDataException)
        {
            return true;
        }
    }
}
