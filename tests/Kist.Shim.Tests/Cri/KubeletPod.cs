using Kist.Shim.Bundles;

namespace Kist.Shim.Tests.Cri;

/// <summary>A pod as a kubelet has it: its sandbox, containers, volumes and logs.</summary>
sealed class KubeletPod : IDisposable
{
    private const string Namespace = "k8s.io", CgroupParent = "/kist-test-pods";

    private readonly Containerd _containerd;
    private readonly PodConfig _config;
    private readonly string _folder;
    private string _id = "";

    public KubeletPod(Containerd containerd, string name)
    {
        _containerd = containerd;
        _folder = Path.Combine(containerd.Folder, "pods", name);
        Cri = new CriClient(containerd.Address);
        _config = new PodConfig
        {
            Metadata = new PodMetadata { Name = name, Uid = $"uid-{name}", Namespace = "default" },
            Hostname = name,
            LogDirectory = Path.Combine(_folder, "logs"),
            DnsConfig = new DnsConfig { Servers = { PodNetworks.Gateway }, Searches = { "kist.test" } },
            Annotations = { ["io.katacontainers.config.hypervisor.cc_init_data"] = containerd.InitData },
            Linux = new LinuxPod { CgroupParent = CgroupParent },
        };
        Directory.CreateDirectory(_config.LogDirectory);
        Directory.CreateDirectory(VolumesFolder);
        File.WriteAllText(HostsFile, "127.0.0.1 localhost\n");
    }

    public CriClient Cri { get; private set; }

    /// <summary>What CNI gave it.</summary>
    public string Address { get; private set; } = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string VolumesFolder => Path.Combine(_folder, "volumes", "kubernetes.io~configmap");

    private string HostsFile => Path.Combine(_folder, "etc-hosts");

    /// <summary>Ends what a failed test has left running.</summary>
    public void Dispose()
    {
        try
        {
            if (_id.Length > 0)
                RemoveAsync().GetAwaiter().GetResult();
        }
        catch (Grpc.Core.RpcException)
        {
            // It is gone, or containerd is; the fixture ends shims.
        }

        Cri.Dispose();
    }

    public void Reconnect()
    {
        Cri.Dispose();
        Cri = new CriClient(_containerd.Address);
    }

    public async Task RunAsync()
    {
        await WaitForNetworkAsync();
        _id = (await Cri.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = _config, RuntimeHandler = "kist" }, deadline: CriClient.Deadline, cancellationToken: Token))
            .PodSandboxId;
        var status = await StatusAsync();
        Assert.Equal(0, status.State);
        Address = status.Network.Ip;
    }

    public async Task<PodStatus> StatusAsync() =>
        (await Cri.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = _id }, deadline: CriClient.Deadline, cancellationToken: Token)).Status;

    public void WriteConfigMap(string name, string key, string content)
    {
        Directory.CreateDirectory(Path.Combine(VolumesFolder, name));
        File.WriteAllText(Path.Combine(VolumesFolder, name, key), content);
    }

    /// <summary>Creates and starts a container, with all ConfigMaps below /etc.</summary>
    public async Task<string> StartAsync(string name, string[] command, string[] args)
    {
        var image = new Image { Image_ = _containerd.Image };
        await Cri.Images.PullImageAsync(new PullImageRequest { Image = image }, deadline: CriClient.Deadline, cancellationToken: Token);
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = name },
            Image = image,
            Command = { command },
            Args = { args },
            Envs = { new KeyValue { Key = "COLOUR", Value = "green" } },
            Mounts =
            {
                Directory.GetDirectories(VolumesFolder).Select(v => new Mount { ContainerPath = $"/etc/{Path.GetFileName(v)}", HostPath = v, Readonly = true }),
                new Mount { ContainerPath = "/etc/hosts", HostPath = HostsFile },
            },
            LogPath = $"{name}.log",
            Linux = new LinuxContainer { Resources = new Resources { CpuPeriod = 100_000, CpuShares = 512, MemoryLimitInBytes = 64 << 20 } },
        };
        var created = await Cri.Runtime.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = _id, Config = config, SandboxConfig = _config }, deadline: CriClient.Deadline, cancellationToken: Token);
        await Cri.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = created.ContainerId }, deadline: CriClient.Deadline, cancellationToken: Token);
        return created.ContainerId;
    }

    public async Task<ExecSyncResponse> ExecAsync(string container, params string[] command) => await Cri.Runtime.ExecSyncAsync(
        new ExecSyncRequest { ContainerId = container, Cmd = { command }, Timeout = 60 }, deadline: CriClient.Deadline, cancellationToken: Token);

    /// <summary>Lines of a container's log, without their times: "stdout F text".</summary>
    public IReadOnlyList<string> Log(string container) =>
        [.. File.ReadAllLines(Path.Combine(_config.LogDirectory, $"{container}.log")).Select(l => l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..])];

    public Task WaitForLogAsync(string container, string text) =>
        WaitUntilAsync(() => Task.FromResult(Log(container).Any(l => l.Contains(text, StringComparison.Ordinal))), $"'{text}' in the log of {container}");

    public async Task<ContainerStatus> WaitForEndAsync(string container)
    {
        ContainerStatus? status = null;
        await WaitUntilAsync(
            async () => (status = (await Cri.Runtime.ContainerStatusAsync(
                new ContainerStatusRequest { ContainerId = container }, deadline: CriClient.Deadline, cancellationToken: Token)).Status).State == 2,
            "the container has ended");
        return status!;
    }

    public async Task RemoveAsync()
    {
        await Cri.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = _id }, deadline: CriClient.Deadline);
        await Cri.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = _id }, deadline: CriClient.Deadline);
        (_removed, _id) = (_id, "");
    }

    private string _removed = "";

    public async Task AssertNothingIsLeftAsync()
    {
        await WaitUntilAsync(() => Task.FromResult(Containerd.ShimsOf(_removed).Count == 0), "no shim");
        Assert.False(File.Exists(ShimSocket.Of(_containerd.Address, Namespace, _removed).Path));
        Assert.DoesNotContain(File.ReadLines("/proc/mounts"), l => l.Contains(_removed, StringComparison.Ordinal));
        var cgroups = ((string[])["", "memory/", "cpu/", "pids/", "blkio/", "cpuacct/"]).Select(c => $"/sys/fs/cgroup/{c}{CgroupParent[1..]}").Where(Directory.Exists).ToArray();
        Assert.All(cgroups, c => Assert.Empty(Directory.GetDirectories(c)));
        // The parent is the kubelet's to remove.
        foreach (var parent in cgroups.Where(Directory.Exists))
            Directory.Delete(parent);
    }

    /// <summary>The plugin reads CNI's configuration some time after it has started.</summary>
    private async Task WaitForNetworkAsync() => await WaitUntilAsync(
        async () =>
        {
            try
            {
                await Cri.Runtime.VersionAsync(new VersionRequest(), deadline: CriClient.Deadline, cancellationToken: Token);
                return true;
            }
            catch (Grpc.Core.RpcException)
            {
                return false;
            }
        },
        "the CRI plugin answers");

    private async Task WaitUntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var i = 0; i < 600; i++)
        {
            if (await condition())
                return;
            await Task.Delay(50, Token);
        }

        Assert.Fail($"not so after 30 s: {what}\n{string.Join('\n', File.ReadLines(_containerd.Log).TakeLast(10))}");
    }
}
