using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Rune.Tests;

/// <summary>
/// What a pod of an image agent and applications needs: an encrypted image in a real registry, its key at a real broker,
/// and bundles.
/// </summary>
sealed class EncryptedImagePod : IAsyncDisposable
{
    public const string Content = "known to the enclaves only";

    private const string KeyId = "kbs:///default/image/application";

    private LocalRegistry? _registry;

    private EncryptedImagePod(RuneBundle bundle) => Bundle = bundle;

    public RuneBundle Bundle { get; }

    public EnclaveBroker Broker { get; private set; } = null!;

    /// <summary>Identifier of the agent's container.</summary>
    public string Id { get; } = $"pod{Guid.NewGuid():N}";

    /// <summary>The image, with its digest.</summary>
    public string Image { get; private set; } = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="bundle">The bundle; owned from now on.</param>
    /// <param name="authentication">The registry's, for <see cref="LocalRegistry.StartAsync"/>.</param>
    /// <param name="tls">The registry's certificate and key.</param>
    /// <param name="access">How the image is pushed.</param>
    /// <param name="module">A WebAssembly module that the image has too, as /app.wasm; null for none.</param>
    public static async Task<EncryptedImagePod> StartAsync(
        RuneBundle bundle, string? authentication = null, (string Certificate, string Key)? tls = null, RegistryOptions? access = null, byte[]? module = null)
    {
        var pod = new EncryptedImagePod(bundle);
        try
        {
            pod._registry = await LocalRegistry.StartAsync(authentication, tls);
            pod.Broker = await EnclaveBroker.StartAsync(bundle);
            var key = RandomNumberGenerator.GetBytes(32);
            await pod.Broker.PutAsync(KeyId, key);
            pod.Image = await pod.PushAsync(key, access ?? new RegistryOptions(), module);
            return pod;
        }
        catch
        {
            await pod.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Bundle.Dispose();
        if (Broker is not null)
            await Broker.DisposeAsync();
        await EndRegistryAsync();
    }

    public async Task EndRegistryAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        _registry = null;
    }

    /// <summary>The agent's bundle.</summary>
    /// <param name="application">MRENCLAVE that may have the image.</param>
    /// <param name="change">Changes its configuration.</param>
    public string Agent(string application, Action<JsonObject>? change = null) => Bundle.Derive("agent", ["/pause"], c =>
    {
        UseHostNetwork(c);
        c["annotations"]!["kist.enclave.agent"] = new JsonObject { ["applications"] = new JsonArray(application) }.ToJsonString();
        c["annotations"]!["kist.enclave.broker"] = BrokerAnnotation();
        change?.Invoke(c);
    });

    public async Task StartAgentAsync(string application, bool accepted = true, Action<JsonObject>? change = null)
    {
        var agent = Agent(application, change);
        if (accepted)
            await Broker.AcceptAsync(MrEnclave(agent));
        var created = Bundle.Create(agent, Id);
        Assert.True(created.ExitCode == 0, created.All + File.ReadAllText(Path.Combine(agent, "error")));
        Bundle.Start(Id);
    }

    public string BrokerAnnotation(string? protocol = null)
    {
        var broker = new JsonObject { ["url"] = protocol is null ? Broker.Url : Broker.RaTlsUrl, ["certificate"] = Broker.Certificate };
        if (protocol is not null)
            broker["protocol"] = protocol;
        return broker.ToJsonString();
    }

    /// <summary>The bundle of an application that has the image as its root.</summary>
    public string Application(string name, string[] program, string? image = null, Action<JsonObject>? change = null) => Bundle.Derive(name, program, c =>
    {
        c["annotations"]!["kist.enclave.image"] = image ?? Image;
        c["annotations"]!["kist.enclave.pod"] = Id;
        change?.Invoke(c);
    });

    public string MrEnclave(string bundle)
    {
        var measured = Bundle.Rune("measure", "--bundle", bundle);
        Assert.True(measured.ExitCode == 0, measured.All);
        return JsonNode.Parse(measured.Output)!["mrenclave"]!.GetValue<string>();
    }

    /// <summary>Runs a bundle to its end.</summary>
    public ToolResult Run(string bundle)
    {
        var id = Bundle.NewId();
        var created = Bundle.Create(bundle, id);
        Assert.True(created.ExitCode == 0, created.All + File.ReadAllText(Path.Combine(bundle, "error")));
        Bundle.Start(id);
        Bundle.WaitFor(id, "stopped");
        return new ToolResult(0, File.ReadAllText(Path.Combine(bundle, "output")), File.ReadAllText(Path.Combine(bundle, "error")));
    }

    private async Task<string> PushAsync(byte[] key, RegistryOptions access, byte[]? module)
    {
        var tree = Directory.CreateDirectory(Path.Combine(Bundle.Path, "tree")).FullName;
        Directory.CreateDirectory(Path.Combine(tree, "bin"));
        Directory.CreateDirectory(Path.Combine(tree, "etc"));
        File.Copy("/bin/busybox", Path.Combine(tree, "bin", "busybox"));
        File.CreateSymbolicLink(Path.Combine(tree, "bin", "cat"), "busybox");
        await File.WriteAllTextAsync(Path.Combine(tree, "etc", "content"), Content, Cancel);
        if (module is not null)
            await File.WriteAllBytesAsync(Path.Combine(tree, "app.wasm"), module, Cancel);
        var plain = new OciLayout(Path.Combine(Bundle.Path, "plain"), "1");
        await ImageBuilder.BuildAsync([tree], plain, new ImageBuildOptions(), Cancel);
        var name = $"{_registry!.Host}/application";
        using var repository = new RegistryRepository(ImageReference.Parse($"{name}:1"), access);
        var encrypted = await new ImageEncryptor(plain, repository, [new KeyPacketWrapper(KeyId, key)], new EncryptOptions()).EncryptAsync(Cancel);
        return $"{name}@{encrypted.Digest}";
    }

    public static void UseHostNetwork(JsonObject config)
    {
        var namespaces = config["linux"]!["namespaces"]!.AsArray();
        namespaces.Remove(namespaces.Single(n => n!["type"]!.GetValue<string>() == "network"));
    }
}
