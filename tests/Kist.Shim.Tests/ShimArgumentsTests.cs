using Kist.Formats;

namespace Kist.Shim.Tests;

public sealed class ShimArgumentsTests
{
    [Fact]
    public void Parse_AsContainerd16Calls_ReadsEverything()
    {
        var parsed = ShimArguments.Parse(["-namespace", "default", "-address", "/run/c.sock", "-publish-binary", "/usr/bin/containerd", "-id", "x1", "-debug", "start"]);

        Assert.Equal(
            new ShimArguments { Namespace = "default", Address = "/run/c.sock", PublishBinary = "/usr/bin/containerd", Id = "x1", Debug = true, Action = "start" }, parsed);
    }

    [Fact]
    public void Parse_DeleteWithBundle_ReadsIt() =>
        Assert.Equal(("x1", "/b", "delete"), ShimArguments.Parse(["-id=x1", "--bundle=/b", "delete"]) is var a ? (a.Id, a.Bundle, a.Action) : default);

    [Theory]
    [InlineData("-unknown", "x")]
    [InlineData("-id")]
    public void Parse_FlagThatIsNone_IsRefused(params string[] arguments) => Assert.Throws<OperationFailedException>(() => ShimArguments.Parse(arguments));
}
