using Kist.Agent;
using Kist.Agent.Containers;
using Kist.Pods.Protocol;

namespace Kist.Pods.Tests.Agent;

public class ContainerUserTests
{
    private static readonly string[][] Passwd =
    [
        ["root", "x", "0", "0", "", "/root", "/bin/sh"],
        ["worker", "x", "1000", "1001", "", "/home/worker", "/bin/sh"],
        ["1234", "x", "5", "6", "", "/home/odd", "/bin/sh"],
        ["broken"],
    ];

    private static readonly string[][] Group =
    [
        ["root", "x", "0", ""],
        ["workers", "x", "1001", "worker"],
        ["extra", "x", "1002", "someone,worker"],
    ];

    [Theory]
    [InlineData("0", 0, 0, "", "/root")]
    [InlineData("worker", 1000, 1001, "1002", "/home/worker")]
    [InlineData("1000", 1000, 1001, "1002", "/home/worker")]
    [InlineData("worker:extra", 1000, 1002, "", "/home/worker")]
    [InlineData("worker:77", 1000, 77, "", "/home/worker")]
    [InlineData("4242", 4242, 0, "", "/")]
    [InlineData("4242:4343", 4242, 4343, "", "/")]
    [InlineData("1234", 5, 6, "", "/home/odd")] // a name of digits wins over the number, as with docker
    public void Resolve_KnownOrNumeric_IsAsDocker(string text, int uid, int gid, string additional, string home)
    {
        var user = ContainerUser.Resolve(text, Passwd, Group);

        Assert.Equal(((uint)uid, (uint)gid, home), (user.Uid, user.Gid, user.Home));
        Assert.Equal(additional, string.Join(',', user.AdditionalGids));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("worker:nobody")]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("broken")]
    public void Resolve_Unknown_IsRefused(string text) =>
        Assert.Equal(FailureCode.InvalidRequest, Assert.Throws<AgentException>(() => ContainerUser.Resolve(text, Passwd, Group)).Code);

    [Fact]
    public void Resolve_PasswdIsALinkOutOfTheImage_IsReadInsideIt()
    {
        var folder = Directory.CreateTempSubdirectory("kist-user-");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "etc"));
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "etc", "passwd"), "/etc/shadow-of-the-image");

            Assert.Throws<AgentException>(() => ContainerUser.Resolve("root", folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
