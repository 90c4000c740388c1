using Kist.Agent;
using Kist.Agent.Service;
using Kist.Pods.Protocol;

namespace Kist.Pods.Tests.Agent;

public sealed class PodAddressTests
{
    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("0.0.0.0")]
    [InlineData("fd00::3")]
    [InlineData("fe80::1")]
    public void Parse_UsualForm_IsThatAddress(string text) => Assert.Equal(text, PodAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("10.1.2")]
    [InlineData("167838211")]
    [InlineData("010.1.2.3")]
    [InlineData("0xa.1.2.3")]
    [InlineData("fd00:0::3")]
    [InlineData("FD00::3")]
    [InlineData("[fd00::3]")]
    [InlineData("fe80::1%1")]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("::1")]
    [InlineData("0:0:0:0:0:0:0:1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.1.2.3")]
    public void Parse_OtherFormsAndTheGuestsOwn_AreRefused(string text) =>
        Assert.Equal(FailureCode.InvalidRequest, Assert.Throws<AgentException>(() => PodAddress.Parse(text)).Code);

    [Theory]
    [InlineData("10.1.0.0/16", true)]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("fd00::/64", true)]
    [InlineData("10.1.0.0", false)]
    [InlineData("10.1.2.3/16", false)]
    [InlineData("10.1.0.0/016", false)]
    [InlineData("127.0.0.0/8", false)]
    [InlineData("::1/128", false)]
    [InlineData("::ffff:127.0.0.0/104", false)]
    public void ParseNetwork_OnlyUsualForms(string text, bool read)
    {
        if (read)
            Assert.Equal(text, PodAddress.ParseNetwork(text).ToString());
        else
            Assert.Equal(FailureCode.InvalidRequest, Assert.Throws<AgentException>(() => PodAddress.ParseNetwork(text)).Code);
    }
}
