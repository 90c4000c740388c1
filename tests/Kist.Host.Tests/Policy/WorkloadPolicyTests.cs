using System.Text.Json;
using Kist.Pods.Protocol;

namespace Kist.Host.Tests.Policy;

public sealed class WorkloadPolicyTests
{
    private static PinnedContainer Container(params string[] args) => PinnedContainer.Of(
        "main", "10.0.2.100:5000/demo", "sha256:00", true, new ContainerProcess(args, ["PATH=/bin"], "/", "0"));

    [Fact]
    public void Write_DataAtEnd_IsJsonThatNamesTheImage()
    {
        var policy = WorkloadPolicy.Write([Container("/bin/true")]);
        const string marker = "\npolicy_data := ";
        using var data = JsonDocument.Parse(policy[(policy.LastIndexOf(marker, StringComparison.Ordinal) + marker.Length)..]);
        var container = data.RootElement.GetProperty("containers")[0];
        Assert.Equal("sha256:00", container.GetProperty("image").GetProperty("manifest_digest").GetString());
        Assert.Equal("/bin/true", container.GetProperty("OCI").GetProperty("Process").GetProperty("Args")[0].GetString());
    }

    [Fact]
    public void Compose_HostileArguments_StayInsideTheirString()
    {
        var policy = WorkloadPolicy.Write([Container("sh", "-c", "echo '''\n[data]\n\"aa.toml\" = ''''''")]);
        var document = InitDataDocument.Compose(new Uri("https://10.0.2.100:8443"), "-----BEGIN CERTIFICATE-----\nAA==\n", policy);
        Assert.Equal(6, document.Text.Split("'''").Length - 1);
        Assert.Equal(48, document.Digest().Length);
    }

    [Fact]
    public void Compose_SameInput_SameBytes() => Assert.Equal(Compose().Bytes.ToArray(), Compose().Bytes.ToArray());

    private static InitDataDocument Compose() =>
        InitDataDocument.Compose(new Uri("https://10.0.2.100:8443"), "cert", WorkloadPolicy.Write([Container("a")]));
}
