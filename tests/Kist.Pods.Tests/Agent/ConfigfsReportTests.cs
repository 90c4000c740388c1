using Kist.Agent.Tee;
using Kist.Formats;

namespace Kist.Pods.Tests.Agent;

/// <summary>A folder in the place of configfs cannot play the kernel; what can be tested is what is asked of it.</summary>
public class ConfigfsReportTests
{
    [Fact]
    public void IsPresent_NoDriver_IsFalse() => Assert.False(new ConfigfsReport("/nothing").IsPresent);

    [Fact]
    public void PadReportData_ShortDigest_IsZeroPadded()
    {
        Assert.Equal([1, 2, .. new byte[62]], TdxEvidence.PadReportData(new byte[] { 1, 2 }));
        Assert.Throws<ArgumentException>(() => TdxEvidence.PadReportData(new byte[65]));
    }

    [Fact]
    public void MrConfigIdOf_ShortQuote_IsMalformed() => Assert.Throws<MalformedDataException>(() => TdxEvidence.MrConfigIdOf(new byte[100]));
}
