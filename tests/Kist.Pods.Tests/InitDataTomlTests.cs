using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Pods.Protocol;

namespace Kist.Pods.Tests;

public class InitDataTomlTests
{
    private const string Good =
        """
        algorithm = "sha256"
        version = "0.1.0"

        [data]
        "aa.toml" = '''
        [token_configs]
        [token_configs.kbs]
        url = "https://10.0.2.100:8080"
        cert = "PEM"
        '''
        "cdh.toml" = '''
        [kbc]
        name = "cc_kbc"
        url = "https://10.0.2.100:8080/"
        kbs_cert = "PEM"
        [image]
        extra_root_certificates = ["ONE", "TWO"]
        '''
        "policy.rego" = "package agent_policy"
        """;

    [Fact]
    public void From_CompleteDocument_GivesBrokerAndPolicy()
    {
        var configuration = GuestConfiguration.From(Parse(Good));

        Assert.Equal(new Uri("https://10.0.2.100:8080"), configuration.BrokerUrl);
        Assert.Equal("PEM", configuration.BrokerCertificatePem);
        Assert.Equal("package agent_policy", configuration.PolicyRego);
        Assert.Equal(["ONE", "TWO"], configuration.Images.AuthoritiesPem);
    }

    [Fact]
    public void Field_ShortAndLongDigests_ArePaddedAndCut()
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(Good));

        Assert.Equal([.. digest, .. new byte[16]], Parse(Good).Field(48));
        Assert.Equal(digest, Parse(Good).Field(32));
        var sha512 = Good.Replace("sha256", "sha512", StringComparison.Ordinal);
        Assert.Equal(SHA512.HashData(Encoding.UTF8.GetBytes(sha512))[..48], Parse(sha512).Field(48));
    }

    [Theory]
    [InlineData("algorithm = \"sha256\"", "algorithm = \"md5\"")]
    [InlineData("algorithm = \"sha256\"", "")]
    [InlineData("algorithm = \"sha256\"", "algorithm = 256")]
    [InlineData("version = \"0.1.0\"", "version = \"9\"")]
    [InlineData("version = \"0.1.0\"", "version = \"0.1.0\"\nversion = \"0.1.0\"")]
    [InlineData("[data]", "[data]\n[data]")]
    [InlineData("[data]", "[data]\nx = 1")]
    [InlineData("[data]", "[data")]
    public void Parse_DocumentAgainstTheFormat_IsMalformed(string from, string to) =>
        Assert.Throws<MalformedDataException>(() => Parse(Good.Replace(from, to, StringComparison.Ordinal)));

    [Fact]
    public void Parse_NotUtf8_IsMalformed() => Assert.Throws<MalformedDataException>(() => InitDataToml.Parse([0xff, 0xfe]));

    [Theory]
    [InlineData("url = \"https://10.0.2.100:8080/\"", "url = \"https://10.0.2.2:8080/\"")]
    [InlineData("kbs_cert = \"PEM\"", "kbs_cert = \"OTHER\"")]
    [InlineData("[\"ONE\", \"TWO\"]", "[1]")]
    [InlineData("url = \"https://10.0.2.100:8080\"\n", "url = \"ftp://10.0.2.100:8080\"\n")]
    public void From_PartsThatDisagreeOrAreNoAddress_IsMalformed(string from, string to) =>
        Assert.Throws<MalformedDataException>(() => GuestConfiguration.From(Parse(Good.Replace(from, to, StringComparison.Ordinal))));

    private static InitDataToml Parse(string text) => InitDataToml.Parse(Encoding.UTF8.GetBytes(text));
}
