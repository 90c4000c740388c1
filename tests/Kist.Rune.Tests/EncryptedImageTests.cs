using System.Text;

namespace Kist.Rune.Tests;

/// <summary>
/// A pod of an image agent and an application: the encrypted image comes from a real registry, its key from a real broker
/// after SGX attestation, and passes from enclave to enclave by local attestation.
/// </summary>
public sealed class EncryptedImageTests : IAsyncLifetime
{
    private static readonly string[] s_program = ["/bin/cat", "/etc/content"];

    private EncryptedImagePod _pod = null!;

    public async ValueTask InitializeAsync() => _pod = await EncryptedImagePod.StartAsync(new RuneBundle());

    public async ValueTask DisposeAsync()
    {
        if (_pod is not null)
            await _pod.DisposeAsync();
    }

    [Fact]
    public async Task Run_EncryptedImage_IsDecryptedForTheListedEnclaveAndStaysSealedOnTheHost()
    {
        var application = _pod.Application("application", s_program);
        await _pod.StartAgentAsync(_pod.MrEnclave(application));
        Assert.Equal(EncryptedImagePod.Content, _pod.Run(application).Output);

        // Sockets, and the platform's lock, cannot be read.
        foreach (var file in Directory.EnumerateFiles(_pod.Bundle.State, "*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is not (".sock" or ".socket") && Path.GetFileName(f) != "running"))
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(EncryptedImagePod.Content)));

        // A second one of the same pod needs neither registry nor broker: the agent has the image.
        await _pod.EndRegistryAsync();
        Assert.Equal(EncryptedImagePod.Content, _pod.Run(application).Output);

        var other = _pod.Run(_pod.Application("other", ["/bin/cat", "/etc/content", "/etc/hosts"]));
        Assert.DoesNotContain(EncryptedImagePod.Content, other.Output, StringComparison.Ordinal);
        Assert.Contains("it is none of the applications that this agent's manifest lists", other.Error, StringComparison.Ordinal);

        var sealedRoot = Directory.GetFiles(Path.Combine(_pod.Bundle.State, "containers"), "*.root", SearchOption.AllDirectories).Single();
        Damage(sealedRoot);
        var damaged = _pod.Run(application);
        Assert.DoesNotContain(EncryptedImagePod.Content, damaged.Output, StringComparison.Ordinal);
        Assert.Contains("it was changed, or is under another key", damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AgentThatTheBrokerDoesNotKnow_GetsNoKey()
    {
        var application = _pod.Application("application", s_program);
        await _pod.StartAgentAsync(_pod.MrEnclave(application), accepted: false);
        var created = _pod.Bundle.Create(application, _pod.Bundle.NewId());
        Assert.NotEqual(0, created.ExitCode);
        Assert.Contains("403", File.ReadAllText(Path.Combine(application, "error")), StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithoutAgentOrDigest_IsRefusedByName()
    {
        var application = _pod.Application("application", s_program);
        Assert.Equal(1, _pod.Bundle.Create(application, _pod.Bundle.NewId()).ExitCode);
        Assert.Contains("find image agent", File.ReadAllText(Path.Combine(application, "error")), StringComparison.Ordinal);
        var tagged = _pod.Application("tagged", s_program, _pod.Image[.._pod.Image.IndexOf('@', StringComparison.Ordinal)]);
        Assert.Equal(1, _pod.Bundle.Create(tagged, _pod.Bundle.NewId()).ExitCode);
        Assert.Contains("the reference has no digest", File.ReadAllText(Path.Combine(tagged, "error")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("ra-tls")]
    public async Task Run_WithSecrets_HasThemAsFilesOnceTheBrokerAccepted(string? protocol)
    {
        await _pod.Broker.PutAsync("default/secret/one", "a secret"u8.ToArray());
        File.WriteAllText(Path.Combine(_pod.Bundle.Root, "etc", "hosts"), "127.0.0.1 localhost\n");
        var bundle = _pod.Bundle.Derive("secrets", ["/bin/sh", "-c", "cat /run/secrets/one; ls -ln /run/secrets/one | head -c 10"], c =>
        {
            EncryptedImagePod.UseHostNetwork(c);
            // By name: the container's own files say where it is.
            c["annotations"]!["kist.enclave.broker"] = protocol is null
                ? _pod.BrokerAnnotation().Replace("127.0.0.1", "localhost", StringComparison.Ordinal)
                : _pod.BrokerAnnotation(protocol);
            c["annotations"]!["kist.enclave.secrets"] = """[{"resource":"kbs:///default/secret/one","path":"/run/secrets/one"}]""";
        });
        var refused = _pod.Run(bundle);
        Assert.DoesNotContain("a secret", refused.Output, StringComparison.Ordinal);
        Assert.Contains("403", refused.Error, StringComparison.Ordinal);

        await _pod.Broker.AcceptAsync(_pod.MrEnclave(bundle));
        Assert.Equal("a secret-r--------", _pod.Run(bundle).Output);
    }

    /// <summary>The application has its root, and lives on; what the agent had goes with the agent's container.</summary>
    [Fact]
    public async Task Kill_ImageAgentThenApplication_LeavesNothingBehind()
    {
        var application = _pod.Application("application", ["/bin/busybox", "sleep", "984"]);
        await _pod.StartAgentAsync(_pod.MrEnclave(application));
        var id = _pod.Bundle.NewId();
        Assert.Equal(0, _pod.Bundle.Create(application, id).ExitCode);
        _pod.Bundle.Start(id);
        for (var i = 0; i < 200 && !ProcessTable.Find("busybox\0sleep\0984").Any(); i++)
            Thread.Sleep(50);

        Linux.Processes.Signals.Send(_pod.Bundle.PidOf(_pod.Id), Linux.Processes.Signals.Kill);
        _pod.Bundle.WaitFor(_pod.Id, "stopped");
        Assert.Equal("running", _pod.Bundle.Status(id));
        Assert.NotEqual(0, _pod.Bundle.Create(application, _pod.Bundle.NewId()).ExitCode);
        Assert.Contains("connect to image agent", File.ReadAllText(Path.Combine(application, "error")), StringComparison.Ordinal);
        _pod.Bundle.Require("delete", _pod.Id);
        _pod.Bundle.AssertNothingOf(_pod.Id);
        Assert.Empty(Directory.GetFiles(_pod.Bundle.State, "*.root", SearchOption.AllDirectories));

        Linux.Processes.Signals.Send(_pod.Bundle.PidOf(id), Linux.Processes.Signals.Kill);
        _pod.Bundle.WaitFor(id, "stopped");
        Assert.Empty(ProcessTable.Find("busybox\0sleep\0984"));
        _pod.Bundle.Require("delete", id);
        _pod.Bundle.AssertNothingOf(id);
    }

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
