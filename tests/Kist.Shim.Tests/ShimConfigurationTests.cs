using Kist.Formats;

namespace Kist.Shim.Tests;

public sealed class ShimConfigurationTests
{
    [Fact]
    public void Parse_Nothing_AllowsNothing()
    {
        var configuration = ShimConfiguration.Parse("{}"u8);

        Assert.Null(configuration.Development);
        Assert.Empty(configuration.Doors);
        Assert.Null(configuration.Machine);
    }

    [Theory]
    [InlineData("""{"unknown": 1}""")]
    [InlineData("""{"cpus": "many"}""")]
    [InlineData("""{"cpus": 1, "cpus": 2}""")]
    [InlineData("null")]
    [InlineData("no json")]
    public void Parse_Unfit_IsMalformed(string json) =>
        Assert.Throws<MalformedDataException>(() => ShimConfiguration.Parse(System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Machine_UnknownAccelerator_IsRefused() =>
        Assert.Throws<OperationFailedException>(() => ShimConfiguration.Parse("""{"accelerator": "abacus"}"""u8).Machine);
}
