using System.Net;
using Kist.Host;
using Kist.Oci;
using Kist.Pods;
using Kist.Pods.Guest;
using Kist.Pods.Machines;
using Kist.Testing;

namespace Kist.Shim.Tests;

/// <summary>
/// Sealed images under containerd: their keys come from a broker, their blobs from disks that the pod's machine has from the
/// start and that are filled when a container joins.
/// </summary>
[Collection("containerd")]
public sealed class SealedTaskTests(Containerd fixture) : IAsyncLifetime
{
    private const int Memory = 320;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly Containerd _containerd = fixture.RequireExhaustive();
    private readonly string _home = Path.Combine(fixture.Folder, "sealed");

    private string Configuration => Path.Combine(_home, "shim.json");

    private StateDirectory State => StateDirectory.Open(_home);

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Kist("up");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Kist("down");
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Pod_ContainersJoinWithSealedImages_EachFromADiskOfItsOwn_AndChangesGoToTheEncryptedOne()
    {
        var endpoints = ServiceEndpoints.Require(State);
        var images = await SealAsync(endpoints, "one", "two");
        await WriteConfigurationAsync(endpoints, "");
        var initData = await RegisterAsync(endpoints, images);

        Must(Run("sealed-pod", initData, images[0], ["-d", "--annotation", "io.kubernetes.cri.container-type=sandbox", "--annotation", "io.kubernetes.cri.sandbox-id=sealed-pod"], "/pause"));
        try
        {
            foreach (var (image, name) in images.Zip(["one", "two"]))
            {
                var member = Run(
                    $"sealed-{name}", initData, image,
                    ["--rm", "--annotation", "io.kubernetes.cri.container-type=container", "--annotation", "io.kubernetes.cri.sandbox-id=sealed-pod",
                     "--annotation", $"io.kubernetes.cri.container-name={name}"],
                    "/bin/sh", "-c", "cat /name; echo more > /new; cat /new; grep -c ' / overlay .*upperdir=/run/kist/writable/' /proc/mounts");
                var result = _containerd.RunCtr(member);
                Assert.True(result is { ExitCode: 0 } && result.Output == $"{name}\nmore\n1\n", result.ToString());
            }
        }
        finally
        {
            _containerd.Remove("sealed-pod");
        }
    }

    /// <summary>Owner and host are one person: the shim pins, registers and runs, as kist run does.</summary>
    [Fact]
    public async Task Single_ForItsOwner_RunsASealedImage()
    {
        var endpoints = ServiceEndpoints.Require(State);
        var images = await SealAsync(endpoints, "alone");
        await WriteConfigurationAsync(endpoints, """, "development": {}""");
        var result = _containerd.RunCtr(Run("sealed-single", null, images[0], ["--rm"], "/bin/cat", "/name"));
        Assert.True(result is { ExitCode: 0, Output: "alone\n" }, result.ToString());
    }

    private string[] Run(string id, string? initData, string image, string[] options, params string[] command) =>
        ["run", "--runtime", _containerd.Shim, "--runtime-config-path", Configuration, "--annotation", $"org.kist.image={image}",
         .. initData is null ? (string[])[] : ["--annotation", $"io.katacontainers.config.hypervisor.cc_init_data={initData}"],
         .. options, "--rootfs", $"{_containerd.Folder}/empty", id, .. command];

    private void Must(string[] arguments)
    {
        var result = _containerd.RunCtr(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private async Task WriteConfigurationAsync(ServiceEndpoints endpoints, string more)
    {
        var (broker, registry) = (endpoints.Broker.Port, IPEndPoint.Parse(endpoints.Registry).Port);
        await File.WriteAllTextAsync(Configuration, $$"""
            {"state": "{{_home}}", "memoryMebibytes": {{Memory}}, "writableMebibytes": 64,
             "doors": {"{{broker}}": "127.0.0.1:{{broker}}", "{{registry}}": "127.0.0.1:{{registry}}"},
             "registries": {"{{endpoints.Registry}}": "{{GuestDoor.GuestAddress}}:{{registry}}"},
             "plainRegistries": ["{{GuestDoor.GuestAddress}}:{{registry}}"]{{more}} }
            """, Cancel);
    }

    /// <summary>Init-data that allows the images by their digests, whatever they run; registered with the broker.</summary>
    private async Task<string> RegisterAsync(ServiceEndpoints endpoints, IReadOnlyList<string> images)
    {
        var digests = new List<string>();
        foreach (var image in images)
            digests.Add((await ResolvedImage.ResolveAsync(ImageReference.Parse(image), new RegistryOptions(), Cancel)).ManifestDigest.ToString());
        var policy = $$"""
            package agent_policy
            import rego.v1
            CreateContainerRequest if input.image.manifest_digest in [{{string.Join(", ", digests.Select(d => $"\"{d}\""))}}]
            StartContainerRequest := true
            WaitProcessRequest := true
            RemoveContainerRequest := true
            SignalProcessRequest := true
            ReadStreamRequest := true
            CreateSandboxRequest := true
            """.ReplaceLineEndings("\n");
        var initData = InitDataDocument.Compose(endpoints.BrokerFromGuest, endpoints.BrokerCertificate, policy + "\n");
        using var guest = GuestImage.Load(State.Guest);
        var spec = new PodSpec { Guest = guest, InitData = initData.Bytes, MemoryMebibytes = Memory };
        await BrokerRegistrar.Connect(endpoints).RegisterAsync("sealed-pod", Measurement.LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues(), Cancel);
        using var compressed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(compressed, System.IO.Compression.CompressionLevel.Optimal))
            gzip.Write(initData.Bytes.Span);
        return Convert.ToBase64String(compressed.ToArray());
    }

    private async Task<IReadOnlyList<string>> SealAsync(ServiceEndpoints endpoints, params string[] names)
    {
        var images = new List<string>();
        var anyGuest = Path.Combine(_home, "any.rego");
        await File.WriteAllTextAsync(anyGuest, """
            package policy
            import rego.v1
            default allow := false
            allow if {
                count(input.submods) > 0
                every submod in input.submods { submod["ear.status"] == "affirming" }
            }
            """, Cancel);
        foreach (var name in names)
        {
            using var tree = new TemporaryDirectory();
            foreach (var folder in (string[])["bin", "etc", "tmp", "dev", "proc", "sys"])
                Directory.CreateDirectory(tree[folder]);
            File.Copy("/bin/busybox", tree["bin/busybox"]);
            foreach (var applet in (string[])["sh", "cat", "echo", "grep"])
                File.CreateSymbolicLink(tree[$"bin/{applet}"], "busybox");
            await File.WriteAllTextAsync(tree["name"], $"{name}\n", Cancel);
            var layout = Path.Combine(_home, $"layout-{name}");
            await ImageBuilder.BuildAsync(
                [tree.Path], new OciLayout(layout, "v1"), new ImageBuildOptions { Config = new ContainerConfiguration { Environment = ["PATH=/bin"], Command = ["/bin/sh"] } }, Cancel);
            images.Add($"{endpoints.Registry}/sealed:{name}");
            Kist("image", "seal", $"oci:{layout}:v1", images[^1], "--all-root", "--resource-policy", anyGuest);
        }

        return images;
    }

    private void Kist(params string[] arguments) =>
        ExternalProgram.Run(Path.Combine(Evidence.RepositoryRoot, "artifacts", "bin", "kist"), arguments, new Dictionary<string, string> { ["KIST_HOME"] = _home });
}
