using System.Text.Json;
using Kist.EndToEnd;
using Kist.Host;
using Kist.Oci;

[assembly: AssemblyFixture(typeof(Installation))]

namespace Kist.EndToEnd;

/// <summary>
/// A state directory with a broker, a registry, a guest image and an encrypted image, made as a user makes them: with the
/// published program. All tests share it; each uses containers of its own.
/// </summary>
public sealed class Installation : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("kist-e2e-").FullName;

    public Installation() => Kist = new KistProgram(_root);

    /// <summary>The program, bound to this state.</summary>
    public KistProgram Kist { get; }

    public StateDirectory State => StateDirectory.Open(_root);

    public ServiceEndpoints Endpoints => ServiceEndpoints.Require(State);

    /// <summary>The encrypted image: busybox, entry point none, command a shell.</summary>
    public string Image => $"{Endpoints.Registry}/demo:v1";

    /// <summary>The layout with the same image in the clear, tag v1.</summary>
    public string PlainLayout => Path.Combine(_root, "image");

    /// <summary>Why there is nothing to test with, or null.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Missing = !File.Exists(KistProgram.Path) ? $"{KistProgram.Path} is missing: run eng/build.sh"
            : !File.Exists("/usr/bin/qemu-system-x86_64") ? "qemu-system-x86 is not installed"
            : !File.Exists("/bin/busybox") ? "busybox-static is not installed"
            : null;
        if (Missing is not null)
            return;
        await MustAsync("up");
        await BuildImageAsync(PlainLayout);
        await MustAsync("image", "encrypt", $"oci:{PlainLayout}:v1", Image, "--key", "kbs:///default/image-key/demo");
    }

    public async ValueTask DisposeAsync()
    {
        if (Missing is null)
            await Kist.RunAsync("down");
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Skips the running test if there is nothing to test with.</summary>
    public Installation Require()
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return this;
    }

    /// <summary>Runs a command that must succeed.</summary>
    public Task<string> MustAsync(params string[] arguments) => Kist.MustAsync(arguments);

    /// <summary>Names of the containers that the state directory knows.</summary>
    public async Task<IReadOnlyList<string>> ContainersAsync()
    {
        using var list = JsonDocument.Parse(await MustAsync("ps", "-a", "--json"));
        return [.. list.RootElement.EnumerateArray().Select(c => c.GetProperty("name").GetString()!)];
    }

    private static async Task BuildImageAsync(string layoutPath)
    {
        var root = Directory.CreateTempSubdirectory("kist-e2e-rootfs-").FullName;
        try
        {
            BusyboxTree.Write(root);
            var layout = new OciLayout(layoutPath, "v1");
            await ImageBuilder.BuildAsync(
                [root], layout,
                new ImageBuildOptions { Config = new ContainerConfiguration { Command = ["/bin/sh", "-c", "echo hello from the guest"], Environment = ["PATH=/bin", "FROM_IMAGE=yes"] } },
                TestContext.Current.CancellationToken);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
