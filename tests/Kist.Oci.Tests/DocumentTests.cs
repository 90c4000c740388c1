using System.Text;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Oci.Tests;

public sealed class DocumentTests
{
    private const string Hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string Config = $$$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{Hash}}}","size":2}""";

    [Fact]
    public void Manifest_UnknownFields_AreKept()
    {
        var text = $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.Manifest}}}","config":{{{Config}}},"layers":[],"future":{"a":[1,2]}}""";
        var written = Encoding.UTF8.GetString(ImageManifest.Parse(Encoding.UTF8.GetBytes(text)).ToBytes());
        Assert.Equal(text, written);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"layers":[]}""")]
    [InlineData($$$"""{"schemaVersion":1,"config":{{{Config}}},"layers":[]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[],"layers":[]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[null]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[{"mediaType":"x","digest":"{{{Hash}}}","size":-1}]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[{"mediaType":"x","digest":"{{{Hash}}}"}]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[{"mediaType":"x","digest":"{{{Hash}}}","size":1,"annotations":{"a":"1","a":"2"}}]}""")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[{"mediaType":"x","digest":"sha1:00","size":1}]}""")]
    [InlineData($$$"""{"schemaVersion":2,"mediaType":"text/html","config":{{{Config}}},"layers":[]}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    public void Manifest_Wrong_IsMalformed(string text) =>
        Assert.Throws<MalformedDataException>(() => ImageManifest.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Manifest_TooLarge_IsMalformed() =>
        Assert.Throws<MalformedDataException>(() => ImageManifest.Parse(new byte[OciLimits.MaxDocumentBytes + 1]));

    [Fact]
    public void Manifest_BothIndexAndManifest_IsMalformed() =>
        Assert.Throws<MalformedDataException>(() => DocumentKind.MediaTypeOf("""{"manifests":[],"layers":[]}"""u8));

    [Fact]
    public void Index_Select_PrefersTheVariantAndSkipsAttestations()
    {
        var index = ImageIndex.Parse(Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"manifests":[
            {"mediaType":"{{{MediaTypes.Manifest}}}","digest":"{{{Hash}}}","size":1,"platform":{"architecture":"unknown","os":"unknown"}},
            {"mediaType":"{{{MediaTypes.Manifest}}}","digest":"{{{Hash}}}","size":2,"platform":{"architecture":"arm","os":"linux","variant":"v6"}},
            {"mediaType":"{{{MediaTypes.Manifest}}}","digest":"{{{Hash}}}","size":3,"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}
            """));
        Assert.Equal(3, index.Select(Platform.Parse("linux/arm/v7"))!.Size);
        Assert.Equal(2, index.Select(Platform.Parse("linux/arm"))!.Size);
        Assert.Null(index.Select(Platform.Parse("linux/amd64")));
    }

    [Fact]
    public void Configuration_DockerStyle_IsRead()
    {
        var configuration = ImageConfiguration.Parse(Encoding.UTF8.GetBytes($$$"""
            {"architecture":"amd64","os":"linux","container":"x","config":{"User":"1:2","Env":["A=b"],"Entrypoint":["/e"],"Cmd":["c"],"WorkingDir":"/w",
            "ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGINT"},"rootfs":{"type":"layers","diff_ids":["{{{Hash}}}"]},
            "history":[{"created":"2020-01-01T00:00:00Z","created_by":"x","empty_layer":true}]}
            """));
        Assert.Equal("1:2", configuration.Config!.User);
        Assert.Equal(["/e"], configuration.Config.EntryPoint);
        Assert.Equal("SIGINT", configuration.Config.StopSignal);
        Assert.Single(configuration.Rootfs.DiffIds);
    }

    [Theory]
    [InlineData(MediaTypes.LayerGzip + "+encrypted", LayerCompression.Gzip, true)]
    [InlineData(MediaTypes.LayerZstd + "+encrypted", LayerCompression.Zstd, true)]
    [InlineData(MediaTypes.Layer + "+encrypted", LayerCompression.None, true)]
    [InlineData(MediaTypes.LayerNonDistributable + "+zstd+encrypted", LayerCompression.Zstd, true)]
    [InlineData(MediaTypes.DockerLayer, LayerCompression.Gzip, false)]
    [InlineData(MediaTypes.DockerLayerForeign, LayerCompression.Gzip, false)]
    public void CompressionOf_Known_IsRead(string mediaType, LayerCompression expected, bool encrypted)
    {
        Assert.Equal(expected, MediaTypes.CompressionOf(mediaType));
        Assert.Equal(encrypted, MediaTypes.IsEncrypted(mediaType));
    }

    [Theory]
    [InlineData("application/vnd.wasm.content.layer.v1+wasm")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted+encrypted")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+lz4")]
    public void CompressionOf_Unknown_IsNull(string mediaType) => Assert.Null(MediaTypes.CompressionOf(mediaType));
}
