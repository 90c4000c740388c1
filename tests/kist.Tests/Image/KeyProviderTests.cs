using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Cli.Tests.Image;

/// <summary>"kist image key-provider" by every transport, under Kist's own client and under skopeo's.</summary>
public sealed class KeyProviderTests
{
    private const string KeyId = "kbs:///default/image-key/1";
    private static readonly byte[] s_key = RandomNumberGenerator.GetBytes(32);
    private static readonly string s_kist = Path.Combine(AppContext.BaseDirectory, "kist");

    [Theory]
    [InlineData("cmd")]
    [InlineData("grpc")]
    [InlineData("ttrpc")]
    public async Task Provider_EncryptsAndDecrypts_WithTheBrokersKey(string transport)
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        await using var server = await ConfigureAsync(directory, transport);
        var client = KeyProviderConfiguration.Parse(await File.ReadAllBytesAsync(directory["config.json"], TestContext.Current.CancellationToken)).Client("attestation-agent");
        await new ImageEncryptor(new OciLayout(directory["plain"], "1"), new OciLayout(directory["encrypted"], "1"), [client], new EncryptOptions())
            .EncryptAsync(TestContext.Current.CancellationToken);
        foreach (ILayerKeyUnwrapper unwrapper in new ILayerKeyUnwrapper[] { client, new KeyPacketUnwrapper(new FixedKeyProvider(KeyId, s_key)) })
        {
            var pulled = await ImagePuller.PullAsync(
                new OciLayout(directory["encrypted"], "1"), [unwrapper], directory["out" + unwrapper.GetType().Name], new PullOptions { RequireEncryption = true }, null,
                TestContext.Current.CancellationToken);
            Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(pulled.RootFileSystem, "file"), TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("cmd")]
    [InlineData("grpc")]
    public async Task Skopeo_ThroughTheProvider_ExchangesImagesWithKist(string transport)
    {
        using var directory = new TemporaryDirectory();
        var environment = new Dictionary<string, string> { ["OCICRYPT_KEYPROVIDER_CONFIG"] = directory["config.json"] };
        await BuildAsync(directory);
        await using var server = await ConfigureAsync(directory, transport);
        ExternalProgram.Run(
            Interop.Skopeo, ["copy", "--insecure-policy", "--encryption-key", $"provider:attestation-agent:keyid={KeyId}::algorithm=A256GCM", $"oci:{directory["plain"]}:1", $"oci:{directory["by-skopeo"]}:1"], environment);
        var packets = new KeyPacketUnwrapper(new FixedKeyProvider(KeyId, s_key));
        var pulled = await ImagePuller.PullAsync(
            new OciLayout(directory["by-skopeo"], "1"), [packets], directory["out"], new PullOptions { RequireEncryption = true }, null, TestContext.Current.CancellationToken);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(pulled.RootFileSystem, "file"), TestContext.Current.CancellationToken));

        await new ImageEncryptor(new OciLayout(directory["plain"], "1"), new OciLayout(directory["by-kist"], "1"), [new KeyPacketWrapper(KeyId, s_key)], new EncryptOptions())
            .EncryptAsync(TestContext.Current.CancellationToken);
        ExternalProgram.Run(
            Interop.Skopeo, ["copy", "--insecure-policy", "--decryption-key", "provider:attestation-agent:x", $"oci:{directory["by-kist"]}:1", $"oci:{directory["decrypted"]}:1"], environment);
        Assert.Equal(await LayerOfAsync(directory["plain"]), await LayerOfAsync(directory["decrypted"]));
    }

    private static async Task<Digest> LayerOfAsync(string layout) => ImageManifest.Parse(
        (await ImageReader.ResolveManifestAsync(new OciLayout(layout, "1"), Platform.Current, TestContext.Current.CancellationToken)).Bytes.Span).Layers[0].Digest;

    private static async Task<Server?> ConfigureAsync(TemporaryDirectory directory, string transport)
    {
        var server = transport == "cmd" ? null : await Server.StartAsync(directory, transport == "ttrpc");
        var provider = transport == "cmd"
            ? $$$"""{"cmd": {"path": "{{{s_kist}}}", "args": ["image", "key-provider", "--state", "{{{directory["state"]}}}", "--key", "{{{KeyId}}}={{{directory["key"]}}}"] } }"""
            : $$"""{"{{transport}}": "{{server!.Address}}" }""";
        await File.WriteAllTextAsync(directory["config.json"], $$"""{"key-providers": {"attestation-agent": {{provider}} } }""", TestContext.Current.CancellationToken);
        return server;
    }

    private static async Task BuildAsync(TemporaryDirectory directory)
    {
        Directory.CreateDirectory(directory["tree"]);
        await File.WriteAllTextAsync(directory["tree/file"], "hello", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(directory["key"], s_key, TestContext.Current.CancellationToken);
        await ImageBuilder.BuildAsync([directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);
    }

    private sealed class Server(Process process, string address) : IAsyncDisposable
    {
        public string Address => address;

        public static async Task<Server> StartAsync(TemporaryDirectory directory, bool ttrpc)
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var port = ((IPEndPoint)free.LocalEndpoint).Port;
            free.Stop();
            string[] where = ttrpc ? ["--socket", directory["kp.sock"]] : ["--port", $"{port}"];
            var process = Process.Start(new ProcessStartInfo(
                s_kist, ["image", "key-provider", "--state", directory["state"], .. where, "--key", $"{KeyId}={directory["key"]}"])
            { RedirectStandardError = true })!;
            Assert.Contains("key provider on", await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            return new Server(process, ttrpc ? "unix://" + directory["kp.sock"] : $"127.0.0.1:{port}");
        }

        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
