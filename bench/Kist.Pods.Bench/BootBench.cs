using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Kist.Oci;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Pods.Protocol.Agent;

namespace Kist.Pods.Bench;

/// <summary>The two boots to compare, with a registry that serves the container's image.</summary>
sealed class BootBench : IAsyncDisposable
{
    private const string Mark = "KIST-BENCH-FIRST-LINE", Busybox = "/bin/busybox";
    private const int Mebibytes = 256;

    private const string Policy =
        """
        package agent_policy
        CreateContainerRequest := true
        StartContainerRequest := true
        ReadStreamRequest := true
        WaitProcessRequest := true
        """;

    private readonly GuestImage _guest;
    private readonly GuestImage _bare;
    private readonly DirectoryInfo _folder;
    private readonly Process _registry;
    private readonly int _port;

    private BootBench(GuestImage guest, GuestImage bare, DirectoryInfo folder, Process registry, int port)
    {
        _guest = guest;
        _bare = bare;
        _folder = folder;
        _registry = registry;
        _port = port;
    }

    public static async Task<BootBench> PrepareAsync(GuestImage guest)
    {
        var folder = Directory.CreateTempSubdirectory("kist-bench-");
        var bare = WriteBareImage(guest, Path.Combine(folder.FullName, "bare"));
        var port = FreePort();
        var registry = StartRegistry(folder.FullName, port);
        var bench = new BootBench(guest, bare, folder, registry, port);
        await bench.PushAsync();
        return bench;
    }

    public async Task<double> BootBusyboxAsync()
    {
        var shape = PodLauncher.Shape(new PodSpec { Guest = _bare, MemoryMebibytes = Mebibytes, InitData = InitData(), Doors = [Door()] }, Accelerator.Tcg);
        var watch = Stopwatch.StartNew();
        await using var machine = VirtualMachine.Start(shape);
        while (!machine.Console.ToString().Contains(Mark, StringComparison.Ordinal))
        {
            if (machine.Exited.IsCompleted || watch.Elapsed > TimeSpan.FromMinutes(2))
                throw new InvalidOperationException($"busybox did not start: {machine.Complaints}{machine.Console}");
            await Task.Delay(5);
        }

        return watch.Elapsed.TotalSeconds;
    }

    public async Task<PodTimes> BootPodAsync()
    {
        var spec = new PodSpec { Guest = _guest, MemoryMebibytes = Mebibytes, InitData = InitData(), Doors = [Door()], Accelerator = Accelerator.Tcg };
        await using var pod = await new PodLauncher(new UnmeasuredPlatform(SHA384.HashData(InitData().Span)), TimeProvider.System).LaunchAsync(spec);
        var boot = pod.LaunchSteps.Where(s => s.Name is "start" or "boot").Sum(s => s.Duration.TotalSeconds);
        var watch = Stopwatch.StartNew();
        await pod.Agent.CreateContainerAsync(new CreateContainerRequest { ContainerId = "main", Image = $"{GuestDoor.GuestAddress}:{_port}/bench:latest", InsecureRegistry = true }, TimeSpan.FromMinutes(2));
        var image = watch.Elapsed.TotalSeconds;
        await pod.Agent.StartContainerAsync("main");
        var output = await pod.Agent.ReadOutputAsync(new ReadOutputRequest { ContainerId = "main", WaitMilliseconds = 60_000 });
        var first = boot + watch.Elapsed.TotalSeconds;
        if (output.Data.ToStringUtf8() != "first byte\n")
            throw new InvalidOperationException($"the container said '{output.Data.ToStringUtf8()}'");
        foreach (var step in (await pod.Agent.GetProgressAsync()).Steps)
            Console.Error.WriteLine($"    {step.StartedMicroseconds / 1000,6} +{(step.EndedMicroseconds - step.StartedMicroseconds) / 1000,5} ms  {step.Name} {step.Subject}");
        var after = await pod.Agent.GetGuestInfoAsync();
        return new PodTimes(boot, first, image, pod.Info.AgentResidentBytes, after.AgentResidentBytes);
    }

    public async ValueTask DisposeAsync()
    {
        _bare.Dispose();
        _registry.Kill();
        await _registry.WaitForExitAsync();
        _registry.Dispose();
        _folder.Delete(recursive: true);
    }

    private static ReadOnlyMemory<byte> InitData() =>
        Encoding.UTF8.GetBytes($"algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"policy.rego\" = '''\n{Policy}\n'''\n");

    private GuestDoor Door() => new(_port, new IPEndPoint(IPAddress.Loopback, _port));

    /// <summary>The same firmware, kernel and command line; an initrd with nothing but busybox.</summary>
    private static GuestImage WriteBareImage(GuestImage guest, string folder)
    {
        Directory.CreateDirectory(folder);
        using var archive = new MemoryStream();
        var cpio = new CpioWriter(archive);
        cpio.AddDirectory("bin");
        cpio.AddDirectory("dev");
        cpio.AddCharacterDevice("dev/console", 0x180, 5, 1);
        cpio.AddFile("bin/busybox", 0x1ed, File.ReadAllBytes(Busybox));
        cpio.AddFile("init", 0x1ed, Encoding.ASCII.GetBytes($"#!/bin/busybox sh\necho {Mark}\n/bin/busybox sleep 100\n"));
        cpio.Finish();
        var initrd = archive.ToArray();
        File.WriteAllBytes(Path.Combine(folder, "initrd"), initrd);
        foreach (var file in (GuestOutput[])[guest.Manifest.Firmware, guest.Manifest.Kernel])
            File.Copy(Path.Combine(guest.Folder, file.File), Path.Combine(folder, file.File));
        var manifest = guest.Manifest with { Initrd = new GuestOutput("initrd", initrd.Length, Convert.ToHexStringLower(SHA256.HashData(initrd))) };
        File.WriteAllBytes(Path.Combine(folder, "manifest.json"), manifest.ToJson());
        return GuestImage.Load(folder);
    }

    private static Process StartRegistry(string folder, int port)
    {
        var config = Path.Combine(folder, "registry.yml");
        File.WriteAllText(config, $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n");
        return Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", config]) { Environment = { ["OTEL_TRACES_EXPORTER"] = "none" }, RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private async Task PushAsync()
    {
        var tree = Path.Combine(_folder.FullName, "tree", "bin");
        Directory.CreateDirectory(tree);
        File.Copy(Busybox, Path.Combine(tree, "echo"));
        using var repository = new RegistryRepository(ImageReference.Parse($"127.0.0.1:{_port}/bench:latest"), new RegistryOptions());
        var config = new ContainerConfiguration { EntryPoint = ["/bin/echo", "first byte"] };
        await ImageBuilder.BuildAsync([Path.GetDirectoryName(tree)!], repository, new ImageBuildOptions { Config = config }, CancellationToken.None);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
