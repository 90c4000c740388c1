using Kist.Formats;

namespace Kist.Host.Tests.Running;

public sealed class ScratchDiskNamesTests
{
    [Fact]
    public void Annotation_WrittenAndRead_IsTheSame()
    {
        var text = ScratchDiskNames.Write([("tmp", 16 << 20), ("cache", 1L << 30)]);
        Assert.Equal("cache=1073741824,tmp=16777216", text);
        Assert.Equal(new Dictionary<string, long> { ["cache"] = 1L << 30, ["tmp"] = 16 << 20 }, ScratchDiskNames.Read(text));
        Assert.Empty(ScratchDiskNames.Read(null));
    }

    [Theory]
    [InlineData("cache")]
    [InlineData("=16777216")]
    [InlineData("cache=1")]
    [InlineData("cache=-16777216")]
    [InlineData("cache=16777216,cache=16777216")]
    [InlineData("cache=99999999999999999999")]
    public void Annotation_Malformed_Fails(string text) => Assert.Throws<OperationFailedException>(() => ScratchDiskNames.Read(text));

    [Fact]
    public void Serial_OfLongNames_FitsADisk()
    {
        var serial = ScratchDiskNames.SerialOf(new string('a', 63));
        Assert.Equal(17, serial.Length);
        Assert.NotEqual(serial, ScratchDiskNames.SerialOf(new string('a', 62)));
    }
}
