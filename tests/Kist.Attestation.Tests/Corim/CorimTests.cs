using System.Text;
using Kist.Attestation.Corim;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Tests.Corim;

public class CorimTests
{
    public static TheoryData<string> Files(string pattern)
    {
        var data = new TheoryData<string>();
        if (Testing.Evidence.IsPresent)
        {
            foreach (var file in Directory.GetFiles(Path.Combine(Testing.Evidence.Directory, "corim"), pattern).Order(StringComparer.Ordinal))
                data.Add(Path.GetFileName(file));
        }
        else
        {
            data.Add("absent");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Files), "*-bad-*.cbor")]
    public void Check_ManifestAgainstItsProfile_IsRefused(string file) => Assert.Throws<MalformedDataException>(() =>
        CorimProfiles.Check(CorimDocument.Parse(Read(file))));

    [Theory]
    [MemberData(nameof(Files), "*-valid.cbor")]
    public void Check_ManifestOfItsProfile_IsAccepted(string file) => Assert.True(CorimProfiles.Check(CorimDocument.Parse(Read(file))));

    [Theory]
    [InlineData("corim-design-cd.cbor")]
    [InlineData("corim-firmware-cd.cbor")]
    [InlineData("unsigned-good-corim.cbor")]
    public void Parse_ManifestWithoutAKnownProfile_IsRead(string file)
    {
        var document = CorimDocument.Parse(Read(file));

        Assert.False(CorimProfiles.Check(document));
        Assert.False(document.IsSigned);
        Assert.NotEmpty(Assert.Single(document.Comids).ReferenceValues);
    }

    [Theory]
    [InlineData("tdx-comid_pce_refval.cbor", "TDX PCE TCB")]
    [InlineData("tdx-comid_qe_refval.cbor", "SGX QE TCB")]
    public void Parse_BareComidOfIntel_IsRead(string file, string model) =>
        Assert.Equal(model, Assert.Single(Comid.Parse(Read(file)).ReferenceValues).Environment.Model);

    [Theory]
    [InlineData("signed-good-corim.cbor")]
    [InlineData("signed-example-corim.cbor")]
    public void IsSignedBy_VeraisonsKey_HoldsForEveryByte(string file)
    {
        var key = PemReader.ReadSingle(Testing.Evidence.Read("cca/keys/veraison-p256.pub.pem"), "PUBLIC KEY").ToArray();
        var other = PemReader.ReadSingle(Testing.Evidence.Read("psa/tf-m/public.pem"), "PUBLIC KEY").ToArray();
        var bytes = Read(file).ToArray();

        var document = CorimDocument.Parse(bytes);

        Assert.True(document.IsSigned);
        Assert.True(document.IsSignedBy(key));
        Assert.False(document.IsSignedBy(other));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.False(IsGood(bytes, key), $"signed with byte {i} changed");
            bytes[i] ^= 1;
        }
    }

    [Fact]
    public void Parse_EveryPrefix_IsMalformed()
    {
        var bytes = Read("corim-sevsnp-valid.cbor");
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<MalformedDataException>(() => CorimDocument.Parse(bytes[..length]));
        Assert.Throws<MalformedDataException>(() => CorimDocument.Parse((byte[])[.. bytes.Span, 0]));
    }

    [Fact]
    public void Parse_EveryByteChanged_ThrowsNothingButMalformedData()
    {
        var bytes = Read("corim-design-cd.cbor").ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var mask in new byte[] { 0x01, 0x20, 0x80, 0xFF })
            {
                bytes[i] ^= mask;
                _ = IsGood(bytes, [0x30, 0x00]);
                bytes[i] ^= mask;
            }
        }
    }

    [Fact]
    public void Of_ManifestOfVeraison_HasTrusteesNames()
    {
        var values = CorimReferenceValues.Of(CorimDocument.Parse(Read("unsigned-good-corim.cbor"))).ToList();

        Assert.Contains(values, v => v.Name.StartsWith("ACME/RoadRunner/", StringComparison.Ordinal) && v.Name.EndsWith("/digests", StringComparison.Ordinal));
        Assert.Equal(3, values.Sum(v => v.Values.Length));
    }

    [Fact]
    public void ReferenceSet_OfAmdsProfile_IsTheMeasurementAndItsKeys()
    {
        var set = Assert.Single(CorimReferenceSet.Of(CorimDocument.Parse(Read("corim-sevsnp-valid.cbor"))));

        Assert.Equal("snp", set.Tee);
        Assert.Equal(
            ["7699e6ac12ccdfd1dfac70e649ce1f046cb2afbb003438f4cdddfe2ccbe182fa5ffbe8dcdb930454324e10c52c788980"],
            set.Claims.Single(c => c.Claim == "measurement").Accepted);
    }

    [Fact]
    public void ReferenceSet_OfParsecsProfile_IsPcrs()
    {
        var sets = CorimReferenceSet.Of(CorimDocument.Parse(Read("corim-parsec-tpm-valid.cbor")));

        Assert.All(sets, s => Assert.Equal("tpm", s.Tee));
        Assert.All(sets.SelectMany(s => s.Claims), c => Assert.StartsWith("pcr", c.Claim, StringComparison.Ordinal));
        Assert.NotEmpty(sets);
    }

    [Theory]
    [InlineData("corim-psa-valid.cbor")]
    [InlineData("unsigned-good-corim.cbor")]
    public void ReferenceSet_OfAProfileThatNamesNoClaims_IsEmpty(string file) => Assert.Empty(CorimReferenceSet.Of(CorimDocument.Parse(Read(file))));

    [Fact]
    public void Parse_AttestKeys_ArePem()
    {
        var keys = CorimDocument.Parse(Read("corim-psa-valid.cbor")).Comids.SelectMany(c => c.AttestKeys).ToList();

        Assert.Equal(2, keys.Count);
        Assert.All(keys, k => Assert.StartsWith("-----BEGIN PUBLIC KEY-----", Encoding.UTF8.GetString(k.Keys[0].Value.Span), StringComparison.Ordinal));
    }

    private static bool IsGood(byte[] bytes, byte[] key)
    {
        try
        {
            return CorimDocument.Parse(bytes).IsSignedBy(key);
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    private static ReadOnlyMemory<byte> Read(string file) => Testing.Evidence.Read($"corim/{file}");
}
