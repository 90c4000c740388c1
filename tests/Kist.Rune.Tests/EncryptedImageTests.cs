using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Rune.Tests;

/// <summary>
/// A pod of an image agent and an application: the encrypted image comes from a real registry, its key from a real broker
/// after SGX attestation, and passes from enclave to enclave by local attestation.
/// </summary>
public sealed class EncryptedImageTests : IAsyncLifetime
{
    private const string KeyId = "kbs:///default/image/application";
    private const string Content = "known to the enclaves only";

    private static readonly string[] s_program = ["/bin/cat", "/etc/content"];

    private readonly RuneBundle _bundle = new();
    private readonly string _pod = $"pod{Guid.NewGuid():N}";
    private LocalRegistry? _registry;
    private EnclaveBroker? _broker;
    private string _image = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await LocalRegistry.StartAsync();
        _broker = await EnclaveBroker.StartAsync(_bundle);
        var key = RandomNumberGenerator.GetBytes(32);
        await _broker.PutAsync(KeyId, key);
        _image = await PushAsync(key);
    }

    public async ValueTask DisposeAsync()
    {
        _bundle.Dispose();
        if (_broker is not null)
            await _broker.DisposeAsync();
        if (_registry is not null)
            await _registry.DisposeAsync();
    }

    // Skipped by name: the application's enclave sometimes does not end (docs/limitations.md, "Enclaves").
    [Fact(Skip = "known defect: about every second time the enclave of an encrypted image hangs at its start")]
    public async Task Run_EncryptedImage_IsDecryptedForTheListedEnclaveAndStaysSealedOnTheHost()
    {
        var application = Application("application", s_program);
        await StartAgentAsync(MrEnclave(application));
        Assert.Equal(Content, Run(application).Output);

        foreach (var file in Directory.EnumerateFiles(_bundle.State, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".sock", StringComparison.Ordinal) && !f.EndsWith(".socket", StringComparison.Ordinal)))
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Content)));

        // A second one of the same pod needs neither registry nor broker: the agent has the image.
        await _registry!.DisposeAsync();
        _registry = null;
        Assert.Equal(Content, Run(application).Output);

        var other = Run(Application("other", ["/bin/cat", "/etc/content", "/etc/hosts"]));
        Assert.DoesNotContain(Content, other.Output, StringComparison.Ordinal);
        Assert.Contains("it is none of the applications that this agent's manifest lists", other.Error, StringComparison.Ordinal);

        var sealedRoot = Directory.GetFiles(Path.Combine(_bundle.State, "containers"), "*.root", SearchOption.AllDirectories).Single();
        Damage(sealedRoot);
        var damaged = Run(application);
        Assert.DoesNotContain(Content, damaged.Output, StringComparison.Ordinal);
        Assert.Contains("it was changed, or is under another key", damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AgentThatTheBrokerDoesNotKnow_GetsNoKey()
    {
        var application = Application("application", s_program);
        await StartAgentAsync(MrEnclave(application), accepted: false);
        var created = _bundle.Create(application, _bundle.NewId());
        Assert.NotEqual(0, created.ExitCode);
        Assert.Contains("403", File.ReadAllText(Path.Combine(application, "error")), StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithoutAgentOrDigest_IsRefusedByName()
    {
        var application = Application("application", s_program);
        Assert.Equal(1, _bundle.Create(application, _bundle.NewId()).ExitCode);
        Assert.Contains("find image agent", File.ReadAllText(Path.Combine(application, "error")), StringComparison.Ordinal);
        var tagged = Application("tagged", s_program, _image[.._image.IndexOf('@', StringComparison.Ordinal)]);
        Assert.Equal(1, _bundle.Create(tagged, _bundle.NewId()).ExitCode);
        Assert.Contains("the reference has no digest", File.ReadAllText(Path.Combine(tagged, "error")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WithSecrets_HasThemAsFilesOnceTheBrokerAccepted()
    {
        await _broker!.PutAsync("default/secret/one", "a secret"u8.ToArray());
        var bundle = _bundle.Derive("secrets", ["/bin/sh", "-c", "cat /run/secrets/one; ls -ln /run/secrets/one | head -c 10"], c =>
        {
            UseHostNetwork(c);
            c["annotations"]!["kist.enclave.broker"] = Broker();
            c["annotations"]!["kist.enclave.secrets"] = """[{"resource":"kbs:///default/secret/one","path":"/run/secrets/one"}]""";
        });
        var refused = Run(bundle);
        Assert.DoesNotContain("a secret", refused.Output, StringComparison.Ordinal);
        Assert.Contains("403", refused.Error, StringComparison.Ordinal);

        await _broker.AcceptAsync(MrEnclave(bundle));
        Assert.Equal("a secret-r--------", Run(bundle).Output);
    }

    private async Task StartAgentAsync(string application, bool accepted = true)
    {
        var agent = _bundle.Derive("agent", ["/pause"], c =>
        {
            UseHostNetwork(c);
            c["annotations"]!["kist.enclave.agent"] = new JsonObject { ["applications"] = new JsonArray(application) }.ToJsonString();
            c["annotations"]!["kist.enclave.broker"] = Broker();
        });
        if (accepted)
            await _broker!.AcceptAsync(MrEnclave(agent));
        var created = _bundle.Create(agent, _pod);
        Assert.True(created.ExitCode == 0, created.All + File.ReadAllText(Path.Combine(agent, "error")));
        Assert.Equal(0, _bundle.Rune("start", _pod).ExitCode);
    }

    private string Broker() => new JsonObject { ["url"] = _broker!.Url, ["certificate"] = _broker.Certificate }.ToJsonString();

    private string Application(string name, string[] program, string? image = null) => _bundle.Derive(name, program, c =>
    {
        c["annotations"]!["kist.enclave.image"] = image ?? _image;
        c["annotations"]!["kist.enclave.pod"] = _pod;
    });

    private string MrEnclave(string bundle)
    {
        var measured = _bundle.Rune("measure", "--bundle", bundle);
        Assert.True(measured.ExitCode == 0, measured.All);
        return JsonNode.Parse(measured.Output)!["mrenclave"]!.GetValue<string>();
    }

    private ToolResult Run(string bundle)
    {
        var id = _bundle.NewId();
        var created = _bundle.Create(bundle, id);
        Assert.True(created.ExitCode == 0, created.All + File.ReadAllText(Path.Combine(bundle, "error")));
        Assert.Equal(0, _bundle.Rune("start", id).ExitCode);
        _bundle.WaitFor(id, "stopped");
        return new ToolResult(0, File.ReadAllText(Path.Combine(bundle, "output")), File.ReadAllText(Path.Combine(bundle, "error")));
    }

    private async Task<string> PushAsync(byte[] key)
    {
        var tree = Directory.CreateDirectory(Path.Combine(_bundle.Path, "tree")).FullName;
        Directory.CreateDirectory(Path.Combine(tree, "bin"));
        Directory.CreateDirectory(Path.Combine(tree, "etc"));
        File.Copy("/bin/busybox", Path.Combine(tree, "bin", "busybox"));
        File.CreateSymbolicLink(Path.Combine(tree, "bin", "cat"), "busybox");
        await File.WriteAllTextAsync(Path.Combine(tree, "etc", "content"), Content, Cancel);
        var plain = new OciLayout(Path.Combine(_bundle.Path, "plain"), "1");
        await ImageBuilder.BuildAsync([tree], plain, new ImageBuildOptions(), Cancel);
        var name = $"{_registry!.Host}/application";
        using var repository = new RegistryRepository(ImageReference.Parse($"{name}:1"), new RegistryOptions());
        var encrypted = await new ImageEncryptor(plain, repository, [new KeyPacketWrapper(KeyId, key)], new EncryptOptions()).EncryptAsync(Cancel);
        return $"{name}@{encrypted.Digest}";
    }

    private static void UseHostNetwork(JsonObject config)
    {
        var namespaces = config["linux"]!["namespaces"]!.AsArray();
        namespaces.Remove(namespaces.Single(n => n!["type"]!.GetValue<string>() == "network"));
    }

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
