using Kist.Enclaves.Relay;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Relay;

public sealed class RelayAddressTests
{
    [Theory]
    [InlineData("tcp://127.0.0.1:80", "127.0.0.1", 80, null)]
    [InlineData("tcp://[::1]:443", "::1", 443, null)]
    [InlineData("unix:/run/x", null, 0, "/run/x")]
    [InlineData("unix:///run/x", null, 0, "/run/x")]
    public void Parse_Address_HasItsParts(string text, string? host, int port, string? path)
    {
        var address = RelayAddress.Parse(text);
        Assert.Equal((host, port, path), (address.Host, address.Port, address.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("tcp://host")]
    [InlineData("tcp://host:99999")]
    [InlineData("tcp://:80")]
    [InlineData("http://host:80")]
    [InlineData("unix:")]
    public void Parse_SomethingElse_IsRefused(string text) => Assert.Throws<MalformedDataException>(() => RelayAddress.Parse(text));
}
