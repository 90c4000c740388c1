using System.Net;
using System.Text;
using Kist.Oci;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Testing;

namespace Kist.Pods.Tests;

/// <summary>One running guest with a registry behind its door, for all tests of a class: a boot takes seconds.</summary>
public sealed class SharedPod : IAsyncDisposable
{
    /// <summary>Allows what the tests do, and nothing of the container named "forbidden".</summary>
    private const string Policy =
        """
        package agent_policy
        import rego.v1
        allowed if input.container_id != "forbidden"
        CreateContainerRequest if allowed
        StartContainerRequest if allowed
        WaitProcessRequest if allowed
        StatsContainerRequest if allowed
        RemoveContainerRequest if allowed
        SignalProcessRequest if allowed
        ReadStreamRequest if input.container_id != "silent"
        WriteStreamRequest if allowed
        TtyWinResizeRequest if allowed
        ExecProcessRequest if input.process.Args[0] != "/bin/forbidden"
        PauseContainerRequest if allowed
        ResumeContainerRequest if allowed
        UpdateContainerRequest if allowed
        CreateSandboxRequest := true
        """;

    private readonly SemaphoreSlim _starting = new(1, 1);
    private RunningPod? _pod;
    private LocalRegistry? _registry;
    private GuestImage? _image;

    /// <summary>The image as the guest names it.</summary>
    public string Image => $"{GuestDoor.GuestAddress}:{_registry!.Port}/busybox:latest";

    public async Task<RunningPod> GetAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return _pod ??= await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_pod is not null)
            await _pod.DisposeAsync();
        if (_registry is not null)
            await _registry.DisposeAsync();
        _image?.Dispose();
        _starting.Dispose();
    }

    private async Task<RunningPod> StartAsync()
    {
        Assert.SkipUnless(File.Exists("/bin/busybox"), "busybox-static is not installed");
        Assert.SkipUnless(File.Exists(QemuProgram.Socat), "socat is not installed");
        _image ??= await BuiltGuest.LoadAsync();
        _registry ??= await LocalRegistry.StartAsync();
        await PushBusyboxAsync(_registry);
        await PushHugeAsync(_registry);
        var initData = $"algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"policy.rego\" = '''\n{Policy}\n'''\n";
        return await new PodLauncher(new SimulatedPlatform(), TimeProvider.System).LaunchAsync(
            new PodSpec
            {
                Guest = _image,
                InitData = Encoding.UTF8.GetBytes(initData),
                MemoryMebibytes = 256,
                Doors = [new GuestDoor(_registry.Port, new IPEndPoint(IPAddress.Loopback, _registry.Port))],
            },
            null, TestContext.Current.CancellationToken);
    }

    /// <summary>More than the guest has memory, of bytes that no compression shrinks much.</summary>
    private static async Task PushHugeAsync(LocalRegistry registry)
    {
        using var folder = new TemporaryFolder();
        var block = new byte[1 << 20];
        new Random(1).NextBytes(block);
        await using (var file = File.Create(Path.Combine(folder.Path, "huge")))
        {
            for (var i = 0; i < 300; i++)
                await file.WriteAsync(block);
        }

        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/huge:latest"), new RegistryOptions());
        await ImageBuilder.BuildAsync(
            [folder.Path], repository,
            new ImageBuildOptions { Compression = LayerCompression.Zstd, Config = new ContainerConfiguration { EntryPoint = ["/huge"] } },
            TestContext.Current.CancellationToken);
    }

    private static async Task PushBusyboxAsync(LocalRegistry registry)
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["bin", "etc", "home/worker", "tmp", "dev", "proc", "sys"])
            Directory.CreateDirectory(Path.Combine(folder.Path, name));
        File.Copy("/bin/busybox", Path.Combine(folder.Path, "bin", "busybox"));
        foreach (var applet in (string[])["sh", "cat", "echo", "id", "sleep", "dd", "env", "pwd", "stty", "head", "yes", "ls", "mount", "hostname", "grep"])
            File.CreateSymbolicLink(Path.Combine(folder.Path, "bin", applet), "busybox");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1001::/home/worker:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "etc", "group"), "root:x:0:\nworkers:x:1001:\nextra:x:1002:worker\n");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "bin", "not-a-program"), "no program\n");
        using var repository = new RegistryRepository(ImageReference.Parse($"{registry.Host}/busybox:latest"), new RegistryOptions());
        await ImageBuilder.BuildAsync(
            [folder.Path], repository,
            new ImageBuildOptions
            {
                Config = new ContainerConfiguration
                {
                    Environment = ["PATH=/bin", "FROM_IMAGE=yes"],
                    EntryPoint = ["/bin/sh", "-c"],
                    Command = ["echo default"],
                    WorkingDirectory = "/home/worker",
                },
            },
            TestContext.Current.CancellationToken);
    }
}
