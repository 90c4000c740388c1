using Kist.Formats;
using Kist.Pods.Protocol;

namespace Kist.Host.Tests.Policy;

public sealed class ContainerProcessTests
{
    private static readonly ImageProcessDefaults Image =
        new(["/entry"], ["default"], ["PATH=/bin", "A=1", "B=2"], "/work", "1000:1000");

    private static readonly ProcessOverrides Nothing = new(null, [], [], "", "");

    [Fact]
    public void Merge_NothingAsked_IsTheImages()
    {
        var process = ContainerProcess.Merge(Image, Nothing);
        Assert.Equal(["/entry", "default"], process.Args);
        Assert.Equal(["PATH=/bin", "A=1", "B=2"], process.Env);
        Assert.Equal("/work", process.Cwd);
        Assert.Equal("1000:1000", process.User);
    }

    [Fact]
    public void Merge_Arguments_ReplaceCmdOnly() =>
        Assert.Equal(["/entry", "x", "y"], ContainerProcess.Merge(Image, Nothing with { Arguments = ["x", "y"] }).Args);

    [Fact]
    public void Merge_Entrypoint_DropsCmd() =>
        Assert.Equal(["/other"], ContainerProcess.Merge(Image, Nothing with { Entrypoint = ["/other"] }).Args);

    [Fact]
    public void Merge_Environment_LaterWinsInPlace() => Assert.Equal(
        ["PATH=/bin", "A=3", "B=2", "C=a=b"],
        ContainerProcess.Merge(Image, Nothing with { Environment = ["A=3", "C=a=b"] }).Env);

    [Fact]
    public void Merge_NoPath_GetsDocker()
    {
        var process = ContainerProcess.Merge(Image with { Env = [], WorkingDirectory = "", User = "" }, Nothing);
        Assert.Equal([ContainerProcess.DefaultPath], process.Env);
        Assert.Equal("/", process.Cwd);
        Assert.Equal("0", process.User);
    }

    [Fact]
    public void Merge_NothingToRunOrNamelessVariable_Fails()
    {
        Assert.Throws<OperationFailedException>(() => ContainerProcess.Merge(Image with { Entrypoint = [], Cmd = [] }, Nothing));
        Assert.Throws<OperationFailedException>(() => ContainerProcess.Merge(Image, Nothing with { Environment = ["=x"] }));
        Assert.Throws<OperationFailedException>(() => ContainerProcess.Merge(Image, Nothing with { Environment = ["X"] }));
    }
}
