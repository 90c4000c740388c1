using CsCheck;
using Kist.Formats;
using Kist.Measurement.Linux;
using Kist.Testing;

namespace Kist.Measurement.Tests.Linux;

public sealed class BzImageTests
{
    [Theory]
    [InlineData("6.9.0", true)]
    [InlineData("6.12.30-kist", true)]
    [InlineData("7.0.1", true)]
    [InlineData("6.8.12", false)]
    [InlineData("5.15", false)]
    [InlineData("linux", null)]
    public void MeasuresIntoCcRegisters_ByRelease(string release, bool? measures)
    {
        var kernel = BzImage.Parse(new SyntheticKernel { Release = release }.Build());
        Assert.Equal(release, kernel.Release);
        Assert.Equal(measures, kernel.MeasuresIntoCcRegisters);
        Assert.Equal(2560, kernel.SetupSize);
    }

    [Fact]
    public void Parse_EveryTruncationOfTheHeader_IsRefused()
    {
        var good = new SyntheticKernel().Build();
        for (var length = 0; length < 2560; length++)
            Assert.Throws<MalformedDataException>(() => BzImage.Parse(good.AsSpan(0, length).ToArray()));
    }

    [Fact]
    public void Parse_AnyDamage_IsReadOrRefusedPrecisely()
    {
        var good = new SyntheticKernel { BodySize = 0x100 }.Build();
        Gen.Select(Gen.Int[0x1f0, 0x270], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            try
            {
                Assert.NotNull(BzImage.Parse(bytes).Release);
            }
            catch (MalformedDataException)
            {
                return;
            }
        }, iter: 20000);
    }
}
