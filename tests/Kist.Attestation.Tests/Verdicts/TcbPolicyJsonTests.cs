using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Tests.Verdicts;

public sealed class TcbPolicyJsonTests
{
    [Fact]
    public void Parse_EveryRule_IsReadAndWrittenBack()
    {
        const string Text = """
            {"accepted_statuses":["UpToDate"],"grace_period_days":30,"accepted_advisories":["INTEL-SA-1"],"rejected_advisories":["INTEL-SA-2"],"minimum_evaluation_data_number":17,"minimum_guest_svn":3,"minimum_components":{"pcesvn":13},"require_sept_ve_disable":true,"allowed_chips":["ab"]}
            """;
        var policy = TcbPolicyJson.Parse(Encoding.UTF8.GetBytes(Text));
        Assert.Equal(["UpToDate"], policy.AcceptedStatuses);
        Assert.Equal(TimeSpan.FromDays(30), policy.GracePeriod);
        Assert.Equal(13, policy.MinimumComponents["pcesvn"]);
        Assert.True(policy.RequireSeptVeDisable);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            TcbPolicyJson.Write(writer, policy);
        Assert.Equal(Text.Trim(), Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Theory]
    [InlineData("""{"accepted_status":[]}""")]
    [InlineData("""{"accepted_statuses":"UpToDate"}""")]
    [InlineData("""{"accepted_statuses":[1]}""")]
    [InlineData("""{"grace_period_days":-1}""")]
    [InlineData("""{"minimum_components":{"pcesvn":"1"}}""")]
    [InlineData("""{"require_sept_ve_disable":1}""")]
    [InlineData("""{"accepted_statuses":["\ud800"]}""")]
    [InlineData("""{"\ud800":[]}""")]
    [InlineData("""[]""")]
    [InlineData("""{""")]
    [InlineData("""{"minimum_guest_svn":1,"minimum_guest_svn":0}""")]
    public void Parse_AnythingElse_IsMalformed(string text) =>
        Assert.Throws<MalformedDataException>(() => TcbPolicyJson.Parse(Encoding.UTF8.GetBytes(text)));
}
