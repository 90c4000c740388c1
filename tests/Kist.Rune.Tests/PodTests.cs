using System.Text.Json.Nodes;

namespace Kist.Rune.Tests;

/// <summary>
/// A pod as containerd's CRI plugin makes it of a runtime class for enclaves (the shim io.containerd.runc.v2 with kist-rune as its
/// BinaryName): the sandbox is the image agent, and its containers find it by the plugin's annotations.
/// </summary>
public sealed class PodTests : IAsyncLifetime
{
    private EncryptedImagePod _pod = null!;
    private LocalContainerd _containerd = null!;

    public async ValueTask InitializeAsync()
    {
        _pod = await EncryptedImagePod.StartAsync(new RuneBundle());
        _containerd = new LocalContainerd(_pod.Bundle);
    }

    public async ValueTask DisposeAsync()
    {
        _containerd?.Dispose();
        if (_pod is not null)
            await _pod.DisposeAsync();
    }

    [Fact]
    public async Task Run_PodUnderContainerd_HasOneShimAndOneAgentSocket()
    {
        var applications = new[] { "first", "second" }.Select(name => _pod.Application(name, ["/bin/cat", "/etc/content"], change: c => InPod(c, "container"))).ToArray();
        var agent = _pod.Agent(_pod.MrEnclave(applications[0]), c => InPod(c, "sandbox"));
        await _pod.Broker.AcceptAsync(_pod.MrEnclave(agent));
        Run("--detach", agent, _pod.Id);
        foreach (var application in applications)
            Assert.Equal(EncryptedImagePod.Content, Run("--rm", application, Path.GetFileName(application)).Output);

        Assert.Single(_containerd.Shims());
        Assert.Single(Directory.GetFiles(_pod.Bundle.State, "images.sock", SearchOption.AllDirectories));
        // The broker's first enclave, the agent, and the application, which was measured and signed once for both containers.
        Assert.Equal(3, Directory.GetFiles(Path.Combine(_pod.Bundle.State, "signed"), "*.enclave").Length);

        _containerd.Require("task", "kill", "--signal", "9", _pod.Id);
        for (var i = 0; i < 100 && _containerd.Ctr("task", "delete", _pod.Id).ExitCode != 137; i++)
            Thread.Sleep(50);
        _containerd.Require("container", "delete", _pod.Id);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_pod.Bundle.State, "containers")).SelectMany(scope => Directory.GetDirectories(scope)));
        for (var i = 0; i < 100 && _containerd.Shims().Length > 0; i++)
            Thread.Sleep(50);
        Assert.Empty(_containerd.Shims());
    }

    private void InPod(JsonObject config, string kind)
    {
        var annotations = config["annotations"]!.AsObject();
        annotations.Remove("kist.enclave.pod");
        annotations["io.kubernetes.cri.container-type"] = kind;
        annotations["io.kubernetes.cri.sandbox-id"] = _pod.Id;
    }

    private ToolResult Run(string how, string bundle, string id) =>
        _containerd.Require("run", how, "--runc-binary", RuneBundle.Program, "--config", Path.Combine(bundle, "config.json"), id);
}
