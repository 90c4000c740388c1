using System.Net;
using System.Text;
using Kist.Pods;
using Kist.Pods.Machines;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.EndToEnd;

/// <summary>
/// What a hostile host tries, as a table: the attack, where it is stopped, what the user is told. docs/attacks.md has the
/// same table in words.
/// </summary>
public sealed class HostAttackTests(Installation installation, ITestOutputHelper output)
{
    [Theory]
    [InlineData("command line", FailureCode.KeyRefused)]
    [InlineData("initrd", FailureCode.KeyRefused)]
    [InlineData("kernel", FailureCode.KeyRefused)]
    [InlineData("memory size", FailureCode.KeyRefused)]
    [InlineData("policy that allows everything", FailureCode.KeyRefused)]
    [InlineData("init-data disk without its policy", FailureCode.PolicyDenied)]
    [InlineData("broker that is down", FailureCode.KeyUnavailable)]
    [InlineData("registry that is down", FailureCode.ImagePull)]
    public async Task StartSomethingElse(string attack, string stoppedAs)
    {
        using var guest = TamperGuest(attack);
        await ExpectAsync(attack, stoppedAs, tamperMachine: spec => Tamper(attack, spec, guest));
    }

    [Theory]
    [InlineData("other arguments")]
    [InlineData("other environment")]
    [InlineData("other user")]
    [InlineData("other image by tag")]
    [InlineData("another container")]
    public async Task AskForSomethingElse(string attack) =>
        await ExpectAsync(attack, FailureCode.PolicyDenied, tamperRequest: request => Tamper(attack, request));

    private TamperedGuest? TamperGuest(string attack) => attack switch
    {
        "command line" => TamperedGuest.WithCommandLine(installation.Require().State.Guest, "loglevel=7"),
        "initrd" => TamperedGuest.WithLongerInitrd(installation.Require().State.Guest),
        "kernel" => TamperedGuest.WithOtherKernel(installation.Require().State.Guest),
        _ => null,
    };

    private static PodSpec Tamper(string attack, PodSpec spec, TamperedGuest? guest) => attack switch
    {
        "memory size" => spec with { MemoryMebibytes = spec.MemoryMebibytes + 64 },
        "policy that allows everything" => spec with { InitData = AllowEverything(spec.InitData) },
        "init-data disk without its policy" => spec with { InitData = Encoding.UTF8.GetBytes("algorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n") },
        "broker that is down" => spec with { Doors = [Closed(spec.Doors[0]), spec.Doors[1]] },
        "registry that is down" => spec with { Doors = [spec.Doors[0], Closed(spec.Doors[1])] },
        _ => spec with { Guest = guest!.Image },
    };

    private static void Tamper(string attack, CreateContainerRequest request)
    {
        switch (attack)
        {
            case "other arguments":
                request.Arguments.AddRange(["/bin/sh", "-c", "cat /etc/secret"]);
                break;
            case "other environment":
                request.Environment.Add(new EnvironmentVariable { Name = "LD_PRELOAD", Value = "/tmp/spy.so" });
                break;
            case "other user":
                request.User = "1000";
                break;
            case "other image by tag":
                request.Image = request.Image.Split('@')[0] + ":plain";
                break;
            default:
                request.ContainerId = "second";
                break;
        }
    }

    private static byte[] AllowEverything(ReadOnlyMemory<byte> document) => Encoding.UTF8.GetBytes(
        Encoding.UTF8.GetString(document.Span).Replace("default CreateContainerRequest := false", "default CreateContainerRequest := true", StringComparison.Ordinal));

    private static GuestDoor Closed(GuestDoor door) => door with { Service = new IPEndPoint(IPAddress.Loopback, 1) };

    private async Task ExpectAsync(
        string attack, string stoppedAs, Func<PodSpec, PodSpec>? tamperMachine = null, Action<CreateContainerRequest>? tamperRequest = null)
    {
        installation.Require();
        if (attack == "other image by tag")
            await installation.MustAsync("image", "copy", $"oci:{installation.PlainLayout}:v1", $"{installation.Endpoints.Registry}/demo:plain");
        var failure = await HostilePod.RefusalAsync(installation, installation.Image, tamperMachine, tamperRequest);
        output.WriteLine($"{attack} | {HostilePod.CodeOf(failure)} | {failure.Message} | {failure.Hint}");
        Assert.Equal(stoppedAs, HostilePod.CodeOf(failure));
        Assert.NotEmpty(failure.Step);
    }
}
