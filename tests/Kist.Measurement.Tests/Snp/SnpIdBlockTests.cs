using System.Security.Cryptography;
using System.Text.Json;
using Kist.Measurement.Snp;
using Kist.Testing;

namespace Kist.Measurement.Tests.Snp;

public sealed class SnpIdBlockTests
{
    [Fact]
    public void Write_AndKeyDigests_OfThePublishedVector()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Evidence.PathOf("launch/snp/id-block-vector.json")));
        byte[] Bytes(string name) => Convert.FromBase64String(document.RootElement.GetProperty(name).GetString()!);
        var block = new SnpIdBlock(new HashValue(Bytes("launch_digest_b64")), HashValue.Zero(16), HashValue.Zero(16), 0, SnpIdBlock.DefaultPolicy);
        Assert.Equal(Bytes("id_block_b64"), block.Write());
        using var idKey = Key(document.RootElement.GetProperty("id_key_public_pem").GetString()!);
        Assert.Equal(Bytes("id_key_hash_b64"), SnpIdAuthentication.KeyDigest(idKey).Span.ToArray());
        using var author = Key(document.RootElement.GetProperty("author_key_public_pem").GetString()!);
        Assert.Equal(Bytes("author_key_digest_b64"), SnpIdAuthentication.KeyDigest(author).Span.ToArray());
    }

    [Fact]
    public void Sign_SignsBlockAndKey()
    {
        using var idKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var author = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var block = new SnpIdBlock(HashValue.Sha384("x"u8), HashValue.Zero(16), HashValue.Zero(16), 7, SnpIdBlock.DefaultPolicy);
        var structure = SnpIdAuthentication.Sign(block, idKey, author);
        Assert.Equal(SnpIdAuthentication.Size, structure.Length);
        Assert.True(idKey.VerifyData(block.Write(), Signature(structure, 64), HashAlgorithmName.SHA384));
        Assert.True(author.VerifyData(structure.AsSpan(576, 1028), Signature(structure, 1664), HashAlgorithmName.SHA384));
        Assert.Equal(SnpIdAuthentication.KeyDigest(author), HashValue.Sha384(structure.AsSpan(2176, 1028)));

        var alone = SnpIdAuthentication.Sign(block, idKey, null);
        Assert.False(alone.AsSpan(1604).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Sign_KeyOfAnotherCurve_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<ArgumentException>(() => SnpIdAuthentication.KeyDigest(key));
    }

    private static byte[] Signature(byte[] structure, int offset) =>
        [.. structure.AsSpan(offset, 48).ToArray().Reverse(), .. structure.AsSpan(offset + 72, 48).ToArray().Reverse()];

    private static ECDsa Key(string pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return key;
    }
}
