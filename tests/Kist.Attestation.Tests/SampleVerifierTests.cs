using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Tests;

public sealed class SampleVerifierTests
{
    private static readonly byte[] Expected = [1, 2, 3];

    private static Verdict Verify(string json, bool allowSimulated)
    {
        using var document = JsonDocument.Parse(json);
        return EvidenceVerifier.Verify(
            "sample", document.RootElement, new ExpectedBinding(Expected, null),
            new VerificationOptions { Time = DateTimeOffset.UnixEpoch, AllowSimulated = allowSimulated });
    }

    [Fact]
    public void Verify_SampleEvidence_IsRefusedUnlessSimulationIsAllowed()
    {
        var refused = Verify("""{"svn":"1","report_data":"AQID"}""", allowSimulated: false);
        Assert.False(refused.IsAccepted);
        Assert.True(refused.IsSimulated);
        Assert.Equal("sample.simulated", refused.DecisiveFailure!.Id);
        var allowed = Verify("""{"svn":"1","report_data":"AQID"}""", allowSimulated: true);
        Assert.True(allowed.IsAccepted);
        Assert.True(allowed.IsSimulated);
    }

    [Theory]
    [InlineData("AQIE")]
    [InlineData("AQI=")]
    [InlineData("")]
    public void Verify_OtherReportData_IsRefused(string reportData) => Assert.Equal(
        "sample.report_data", Verify($$"""{"svn":"1","report_data":"{{reportData}}"}""", allowSimulated: true).DecisiveFailure!.Id);

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"svn":"1"}""")]
    [InlineData("""{"svn":1,"report_data":"AQID"}""")]
    [InlineData("""{"svn":"1","report_data":"A"}""")]
    public void Verify_AnotherShape_IsMalformed(string json) =>
        Assert.Throws<MalformedDataException>(() => Verify(json, allowSimulated: true));
}
