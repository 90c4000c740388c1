using System.Text;
using Kist.Formats;

namespace Kist.Attestation.Tests;

public sealed class TrustAnchorJsonTests
{
    [Fact]
    public void Write_ThenParse_GivesTheSameAnchor()
    {
        var anchor = new TrustAnchor("intel", "A root", [.. new byte[31], 7], IsSimulated: true, "test");
        var read = TrustAnchorJson.Parse(TrustAnchorJson.Write(anchor));
        Assert.Equal(anchor with { SpkiSha256 = [] }, read with { SpkiSha256 = [] });
        Assert.Equal(anchor.SpkiSha256.AsSpan(), read.SpkiSha256.AsSpan());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{\"vendor\":\"intel\",\"name\":\"x\",\"spki_sha256\":\"00\",\"is_simulated\":true,\"source\":\"s\"}")]
    [InlineData("{\"vendor\":\"intel\",\"name\":\"x\",\"spki_sha256\":\"zz\",\"is_simulated\":true,\"source\":\"s\"}")]
    [InlineData("{\"vendor\":\"intel\",\"name\":\"x\",\"spki_sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"source\":\"s\"}")]
    [InlineData("{\"vendor\":\"intel\",\"name\":\"x\",\"spki_sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"is_simulated\":null,\"source\":\"s\"}")]
    [InlineData("{\"vendor\":\"intel\",\"name\":\"x\",\"spki_sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"is_simulated\":false,\"is_simulated\":true,\"source\":\"s\"}")]
    public void Parse_OtherDocuments_AreRefused(string json) =>
        Assert.Throws<MalformedDataException>(() => TrustAnchorJson.Parse(Encoding.UTF8.GetBytes(json)));
}
