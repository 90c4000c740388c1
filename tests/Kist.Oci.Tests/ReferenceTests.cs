using Kist.Formats;
using Kist.Oci;

namespace Kist.Oci.Tests;

public sealed class ReferenceTests
{
    private const string Hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("user/app", "docker.io/user/app:latest")]
    [InlineData("index.docker.io/user/app", "docker.io/user/app:latest")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/app:v1", "localhost:5000/app:v1")]
    [InlineData("registry.example.com/a/b-c/d__e.f:T.a-g_1", "registry.example.com/a/b-c/d__e.f:T.a-g_1")]
    [InlineData("[::1]:5000/app", "[::1]:5000/app:latest")]
    [InlineData("127.0.0.1:5000/app@" + Hash, "127.0.0.1:5000/app@" + Hash)]
    [InlineData("app:1@" + Hash, "docker.io/library/app:1@" + Hash)]
    public void Parse_Reference_IsCompleted(string text, string expected)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(expected, reference.ToString());
        Assert.Equal(expected, ImageReference.Parse(reference.ToString()).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("app\n")]
    [InlineData("app:latest\n")]
    [InlineData("App")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("/a")]
    [InlineData("app:")]
    [InlineData("app:-x")]
    [InlineData("app@sha256:abc")]
    [InlineData("app@" + Hash + "\n")]
    [InlineData("app@sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("app@SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("app@" + Hash + "@" + Hash)]
    [InlineData("a/../b")]
    [InlineData("a/.b")]
    [InlineData("a..b")]
    [InlineData("a/é")]
    [InlineData("a/b?c")]
    [InlineData("host:0/a")]
    [InlineData("host:99999/a")]
    [InlineData("ho_st.x/a")]
    [InlineData("user@host.com/a")]
    [InlineData("[::1/a")]
    [InlineData("[fe80::1%25eth0]:5000/a")]
    public void Parse_NoReference_IsRefused(string text) => Assert.Throws<MalformedDataException>(() => ImageReference.Parse(text));

    [Fact]
    public void Parse_TooLong_IsRefused() => Assert.Throws<MalformedDataException>(() => ImageReference.Parse(new string('a', 256)));

    [Theory]
    [InlineData("sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData(Hash + "a")]
    [InlineData(null)]
    public void Digest_NotCanonical_IsRefused(string? text) => Assert.False(Digest.TryParse(text, out _));

    [Fact]
    public void Digest_OfContent_Matches()
    {
        Assert.Equal("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Digest.Of("abc"u8).ToString());
        var sha512 = Digest.Parse("sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
        Assert.True(sha512.Matches("abc"u8));
        Assert.False(sha512.Matches("abd"u8));
    }
}
