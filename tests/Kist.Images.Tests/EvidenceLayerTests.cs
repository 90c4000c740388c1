using System.Security.Cryptography;
using System.Text.Json;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>The encrypted layer of the evidence corpus: made by other code from the ocicrypt format.</summary>
public sealed class EvidenceLayerTests
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    // The key that the sample key broker client of CoCo has built in, published in coco_keyprovider's enc_mods.
    private static readonly byte[] s_sampleKey = Convert.FromHexString("d99b7705b0ba7a168295b3a3367270b0dd9b371bf514ca8b9ba7f0a33711daea");

    [Fact]
    public async Task Unwrap_JweAnnotation_DecryptsToTheLayer()
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(await File.ReadAllTextAsync(Evidence.PathOf("oci/encrypted-layer/rsa-test-key.pem"), TestContext.Current.CancellationToken));
        var plain = await DecryptAsync([new JweKeyUnwrapper([rsa])], "oci/encrypted-layer/layer.enc");
        Assert.Equal(Evidence.Read("oci/encrypted-layer/layer.tar.gz"), plain);
    }

    [Fact]
    public async Task Decrypt_OneBitFlipped_IsRefusedByHmac()
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(await File.ReadAllTextAsync(Evidence.PathOf("oci/encrypted-layer/rsa-test-key.pem"), TestContext.Current.CancellationToken));
        var error = await Assert.ThrowsAsync<OperationFailedException>(
            () => DecryptAsync([new JweKeyUnwrapper([rsa])], "oci/encrypted-layer/layer-tampered.enc"));
        Assert.Contains("HMAC", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SamplePacket_IsVersion1()
    {
        var packet = KeyPacket.Parse(Evidence.Read("oci/keyprovider/sample_kbc_annotation.json"));
        Assert.Equal("kbs:///default/key/1", packet.Kid);
        Assert.Equal(KeyPacket.Gcm, packet.WrapType);
        Assert.Null(packet.Version);
        using var secrets = PrivateLayerOptions.Parse(packet.Unwrap(s_sampleKey));
        Assert.Equal(32, secrets.SymmetricKey.Length);
        Assert.Throws<OperationFailedException>(() => packet.Unwrap(new byte[32]));
    }

    [Fact]
    public void Parse_EncryptedManifest_LayersAreEncryptedGzip()
    {
        var manifest = ImageManifest.Parse(Evidence.Read("oci/encrypted-manifest/oci1.encrypted.json"));
        Assert.All(manifest.Layers, layer => Assert.True(MediaTypes.IsEncrypted(layer.MediaType)));
        Assert.All(manifest.Layers, layer => Assert.Equal(LayerCompression.Gzip, MediaTypes.CompressionOf(layer.MediaType)));
    }

    private static async Task<byte[]> DecryptAsync(IReadOnlyList<ILayerKeyUnwrapper> keys, string path)
    {
        var layer = JsonSerializer.Deserialize<Descriptor>(
            Evidence.Read("oci/encrypted-layer/descriptor.json"), s_json)!;
        using var secrets = await LayerKeys.UnwrapAsync(layer, keys, TestContext.Current.CancellationToken);
        using var stream = new DecryptingStream(
            new MemoryStream(Evidence.Read(path)), secrets, EncryptionAnnotations.ReadPublicOptions(layer), "layer");
        using var plain = new MemoryStream();
        await stream.CopyToAsync(plain, TestContext.Current.CancellationToken);
        return plain.ToArray();
    }
}
