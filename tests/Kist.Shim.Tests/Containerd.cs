using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Kist.Oci;
using Kist.Pods.Machines;
using Kist.Pods.Tests;
using Kist.Testing;

[assembly: AssemblyFixture(typeof(Kist.Shim.Tests.Containerd))]

namespace Kist.Shim.Tests;

/// <summary>
/// Debian's containerd with directories and an address of its own, a registry with a busybox image, and a configuration for
/// the published shim. All tests share it; each has tasks of its own.
/// </summary>
public sealed class Containerd : IAsyncLifetime
{
    public const string Program = "/usr/bin/containerd", Ctr = "/usr/bin/ctr";

    /// <summary>Allows what the tests do: the policy's own tests are elsewhere.</summary>
    private const string Policy =
        """
        package agent_policy
        import rego.v1
        CreateContainerRequest if input.container_name != "forbidden"
        StartContainerRequest := true
        WaitProcessRequest := true
        StatsContainerRequest := true
        RemoveContainerRequest := true
        SignalProcessRequest := true
        ReadStreamRequest if input.container_name != "silent"
        WriteStreamRequest := true
        TtyWinResizeRequest := true
        ExecProcessRequest := true
        PauseContainerRequest := true
        ResumeContainerRequest := true
        UpdateContainerRequest := true
        CreateSandboxRequest := true
        UpdateInterfaceRequest := true
        UpdateRoutesRequest := true
        """;

    private LocalRegistry? _registry;
    private Process? _process;

    /// <summary>Everything lies here; the path is short, since sockets lie in it.</summary>
    public string Folder { get; } = System.IO.Directory.CreateTempSubdirectory("kst-").FullName;

    public string Address => Path.Combine(Folder, "c.sock");

    public string Log => Path.Combine(Folder, "containerd.log");

    public string Shim { get; } = Path.Combine(Evidence.RepositoryRoot, "artifacts", "bin", "containerd-shim-kist-v2");

    public string Configuration => Path.Combine(Folder, "shim.json");

    /// <summary>As <see cref="Configuration"/>, with guests that give memory back.</summary>
    public string ReturningConfiguration => Path.Combine(Folder, "shim-returning.json");

    public string Image => $"{_registry!.Host}/busybox:latest";

    /// <summary>base64 of gzip of init-data with the tests' policy.</summary>
    public string InitData { get; } = Compress($"algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n\"policy.rego\" = '''\n{Policy}\n'''\n");

    public string? Missing { get; private set; }

    public Containerd Require()
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return this;
    }

    /// <summary>As <see cref="Require"/>, for cases that a usual run leaves out.</summary>
    public Containerd RequireExhaustive()
    {
        Exhaustive.Require();
        return Require();
    }

    /// <summary>As <see cref="Require"/>, for pods of the CRI plugin.</summary>
    public Containerd RequirePods()
    {
        Assert.SkipWhen(PodNetworks.Missing is not null, PodNetworks.Missing ?? "");
        return RequireNetworks();
    }

    /// <summary>As <see cref="Require"/>, for tasks whose network is joined.</summary>
    public Containerd RequireNetworks()
    {
        Assert.SkipUnless(File.Exists("/dev/net/tun"), "this machine has no tap devices: /dev/net/tun");
        Assert.SkipUnless(File.Exists("/usr/sbin/tc") || File.Exists("/sbin/tc"), "iproute2 is not installed");
        return Require();
    }

    public async ValueTask InitializeAsync()
    {
        Missing = !File.Exists(Program) || !File.Exists(Ctr) ? "containerd is not installed"
            : !File.Exists(QemuProgram.Path) ? "QEMU is not installed"
            : !File.Exists("/usr/bin/docker-registry") ? "docker-registry is not installed"
            : !File.Exists("/usr/bin/apt-get") ? "guest images are built of Debian packages, and this is no Debian"
            : BuiltGuest.AgentProgram is null ? "the agent has not been published: eng/build.sh"
            : !File.Exists(Shim) ? "the shim has not been published: eng/build.sh"
            : !File.Exists("/bin/busybox") ? "busybox-static is not installed"
            : !File.Exists(QemuProgram.Socat) ? "socat is not installed"
            : Environment.UserName != "root" ? "containerd needs root"
            : null;
        if (Missing is not null)
            return;
        using var guest = await BuiltGuest.LoadAsync();
        _registry = await LocalRegistry.StartAsync();
        await PushBusyboxAsync($"{_registry.Host}/busybox:latest");
        System.IO.Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        System.IO.Directory.CreateDirectory(Path.Combine(Folder, "kist"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Configuration, $$"""
            {
              "state": "{{Folder}}/kist",
              "guest": "{{guest.Folder}}",
              "memoryMebibytes": 320,
              "accelerator": "auto",
              "doors": {"{{_registry.Port}}": "127.0.0.1:{{_registry.Port}}"},
              "registries": {"{{_registry.Host}}": "{{GuestDoor.GuestAddress}}:{{_registry.Port}}"},
              "plainRegistries": ["{{GuestDoor.GuestAddress}}:{{_registry.Port}}"]
            }
            """);
        await File.WriteAllTextAsync(
            ReturningConfiguration, (await File.ReadAllTextAsync(Configuration)).Replace("\"accelerator\"", "\"returnMemory\": true, \"accelerator\"", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(Folder, "config.toml"), $"""
            version = 2
            root = "{Folder}/root"
            state = "{Folder}/state"
            [grpc]
            address = "{Address}"
            [plugins."io.containerd.grpc.v1.cri"]
            sandbox_image = "{Image}"
            [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "{PodNetworks.Plugins}"
            conf_dir = "{Folder}/cni"
            [plugins."io.containerd.grpc.v1.cri".containerd]
            default_runtime_name = "kist"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kist]
            runtime_type = "io.containerd.kist.v2"
            pod_annotations = ["io.katacontainers.*", "org.kist.*"]
            container_annotations = ["org.kist.*"]
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kist.options]
            ConfigPath = "{Configuration}"
            """);
        PodNetworks.Write(Folder);
        if (!Start())
            Missing = $"containerd does not start here: {File.ReadLines(Log).LastOrDefault()}";
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        // Shims outlive their containerd: those of tests that failed end here.
        foreach (var shim in ShimsOf(Folder))
            Process.GetProcessById(shim).Kill();
        if (_registry is not null)
            await _registry.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }

    /// <summary>False if it does not answer within ten seconds.</summary>
    public bool Start()
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec {Program} --config {Folder}/config.toml >>{Log} 2>&1"])
        {
            // Where it finds the shim of a runtime's type.
            Environment = { ["PATH"] = $"{Path.GetDirectoryName(Shim)}:{Environment.GetEnvironmentVariable("PATH")}" },
        };
        _process = Process.Start(start)!;
        for (var i = 0; i < 200; i++)
        {
            if (RunCtr("version").ExitCode == 0)
                return true;
            Thread.Sleep(50);
        }

        return false;
    }

    /// <summary>Ends containerd as a crash does.</summary>
    public void Stop()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
    }

    public CtrResult RunCtr(params string[] arguments) => StartCtr(arguments).Finish();

    public CtrProcess StartCtr(params string[] arguments) => new(Ctr, ["--address", Address, .. arguments]);

    /// <summary>"ctr run" of a task with a virtual machine of its own.</summary>
    public string[] Run(string id, string[] options, params string[] command) =>
        ["run", "--runtime", Shim, "--runtime-config-path", Configuration, "--annotation", $"org.kist.image={Image}",
         "--annotation", $"io.katacontainers.config.hypervisor.cc_init_data={InitData}", .. options, "--rootfs", $"{Folder}/empty", id, .. command];

    /// <summary>"ctr run" of a task of Debian's own runtime, for comparison.</summary>
    public string[] RunUnderRunc(string id, string[] options, params string[] command) => ["run", .. options, "--rootfs", PlainRoot(), id, .. command];

    public EventWatch WatchEvents()
    {
        var watch = new EventWatch(StartCtr("events"));
        // ctr says nothing when it has subscribed: an event that is seen shows it.
        for (var i = 0; i < 200 && !watch.All.Any(); i++)
        {
            RunCtr("namespaces", "create", $"watched-{Guid.NewGuid():n}");
            Thread.Sleep(20);
        }

        return watch;
    }

    /// <summary>A runtime specification of a task with a terminal, as a file.</summary>
    public string WriteSpecification(string id, (int Rows, int Columns) size, params string[] command)
    {
        var path = Path.Combine(Folder, $"{id}.json");
        File.WriteAllText(path, $$"""
            {"ociVersion": "1.0.2", "root": {"path": "{{Folder}}/empty" }, "hostname": "{{id}}",
             "process": {"terminal": true, "consoleSize": {"height": {{size.Rows}}, "width": {{size.Columns}} }, "user": {"uid": 0, "gid": 0}, "cwd": "/",
               "args": {{JsonSerializer.Serialize(command)}}, "env": ["PATH=/bin"]},
             "annotations": {"org.kist.image": "{{Image}}", "io.katacontainers.config.hypervisor.cc_init_data": "{{InitData}}" },
             "linux": {"cgroupsPath": "/default/{{id}}" } }
            """);
        return path;
    }

    private string PlainRoot()
    {
        var root = Path.Combine(Folder, "rootfs");
        if (!System.IO.Directory.Exists(root))
        {
            System.IO.Directory.CreateDirectory(Path.Combine(root, "bin"));
            File.Copy("/bin/busybox", Path.Combine(root, "bin", "busybox"));
            foreach (var applet in (string[])["sh", "sleep", "true"])
                File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        }

        return root;
    }

    /// <summary>"ctr run" of a pod.</summary>
    public string[] RunPod(string id, params string[] options) =>
        Run(id, ["-d", "--annotation", "io.kubernetes.cri.container-type=sandbox", "--annotation", $"io.kubernetes.cri.sandbox-id={id}", .. options], "/pause");

    /// <summary>"ctr run" of a container in a pod.</summary>
    public string[] RunMember(string pod, string id, string[] options, params string[] command) =>
        Run(id,
            ["--annotation", "io.kubernetes.cri.container-type=container", "--annotation", $"io.kubernetes.cri.sandbox-id={pod}",
             "--annotation", $"io.kubernetes.cri.container-name={id}", .. options], command);

    /// <summary>Ends a task, whatever state it is in, and forgets its container.</summary>
    public void Remove(string id)
    {
        RunCtr("tasks", "kill", "--signal", "SIGKILL", id);
        for (var i = 0; i < 100 && RunCtr("tasks", "delete", id).ExitCode != 0 && RunCtr("tasks", "list").Output.Contains($"{id} ", StringComparison.Ordinal); i++)
            Thread.Sleep(50);
        RunCtr("containers", "delete", id);
    }

    /// <summary>Processes whose command line or environment names this containerd's folder, beside containerd itself: shims; and the machines that are theirs.</summary>
    public static IReadOnlyList<int> ShimsOf(string id) => [.. ProcessTable.All().Where(p => p.CommandLine.Contains("containerd-shim-kist-v2") && p.CommandLine.Contains("serve") && p.CommandLine.Contains(id)).Select(p => p.Id)];

    private static string Compress(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(compressed, System.IO.Compression.CompressionLevel.Optimal))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return Convert.ToBase64String(compressed.ToArray());
    }

    private static async Task PushBusyboxAsync(string reference)
    {
        var root = System.IO.Directory.CreateTempSubdirectory("kst-image-").FullName;
        try
        {
            foreach (var name in (string[])["bin", "etc", "tmp", "dev", "proc", "sys"])
                System.IO.Directory.CreateDirectory(Path.Combine(root, name));
            File.Copy("/bin/busybox", Path.Combine(root, "bin", "busybox"));
            foreach (var applet in (string[])["sh", "cat", "echo", "id", "sleep", "dd", "env", "stty", "head", "yes", "ls", "hostname", "grep", "ip", "ping", "wget", "nc", "nslookup", "test", "touch", "true", "kill", "httpd", "mkdir", "rm", "cp"])
                File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
            using var repository = new RegistryRepository(ImageReference.Parse(reference), new RegistryOptions());
            await ImageBuilder.BuildAsync(
                [root], repository, new ImageBuildOptions { Config = new ContainerConfiguration { Environment = ["PATH=/bin", "FROM_IMAGE=yes"], Command = ["/bin/sh"] } },
                CancellationToken.None);
        }
        finally
        {
            System.IO.Directory.Delete(root, recursive: true);
        }
    }
}
