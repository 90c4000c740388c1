using Kist.Formats;

namespace Kist.KeyBroker.Protocol.Tests;

public sealed class ResourceUriTests
{
    [Theory]
    [InlineData("kbs:///default/key/1")]
    [InlineData("default/key/1")]
    public void Parse_EitherForm_HasItsParts(string text)
    {
        var uri = ResourceUri.Parse(text);
        Assert.Equal(("default", "key", "1"), (uri.Repository, uri.Type, uri.Tag));
        Assert.Equal("kbs:///default/key/1", uri.ToString());
        Assert.Equal("default/key/1", uri.Path);
    }

    [Theory]
    [InlineData("kbs:///a/b")]
    [InlineData("kbs:///a/b/c/d")]
    [InlineData("kbs://host/a/b/c")]
    [InlineData("https:///a/b/c")]
    [InlineData("kbs:///a/b/")]
    [InlineData("kbs:///a//c")]
    [InlineData("kbs:///../b/c")]
    [InlineData("kbs:///a/.b/c")]
    [InlineData("kbs:///a/b/c\n")]
    [InlineData("kbs:///a/b/c?x=1")]
    [InlineData("kbs:///a/b/%63")]
    [InlineData("kbs:///a/b/é")]
    [InlineData("")]
    public void Parse_AnotherShape_IsRefused(string text)
    {
        Assert.Throws<MalformedDataException>(() => ResourceUri.Parse(text));
        Assert.False(ResourceUri.TryParse(text, out _));
    }

    [Fact]
    public void Parse_LongPart_IsRefused()
    {
        Assert.NotNull(ResourceUri.Parse($"a/b/{new string('c', 255)}"));
        Assert.Throws<MalformedDataException>(() => ResourceUri.Parse($"a/b/{new string('c', 256)}"));
    }
}
