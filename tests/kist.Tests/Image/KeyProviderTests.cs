using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Images;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Cli.Tests.Image;

/// <summary>
/// "kist image key-provider" by both transports, under Kist's own client. Debian 12's skopeo is built with an ocicrypt that
/// knows no key providers; KeyProviderMessageTests have the messages as Go and Rust write them.
/// </summary>
public sealed class KeyProviderTests
{
    private const string KeyId = "kbs:///default/image-key/1";
    private static readonly byte[] s_key = RandomNumberGenerator.GetBytes(32);
    private static readonly string s_kist = Path.Combine(AppContext.BaseDirectory, "kist");

    [Theory]
    [InlineData("cmd")]
    [InlineData("grpc")]
    public async Task Provider_EncryptsAndDecrypts_WithTheBrokersKey(string transport)
    {
        using var directory = new TemporaryDirectory();
        await BuildAsync(directory);
        await using var server = transport == "grpc" ? await Server.StartAsync(directory["key"]) : null;
        await File.WriteAllTextAsync(directory["config.json"], server is null
            ? $$$"""{"key-providers": {"attestation-agent": {"cmd": {"path": "{{{s_kist}}}", "args": ["image", "key-provider", "--key", "{{{KeyId}}}={{{directory["key"]}}}"] } } } }"""
            : $$$"""{"key-providers": {"attestation-agent": {"grpc": "127.0.0.1:{{{server.Port}}}" } } }""", TestContext.Current.CancellationToken);
        var client = Assert.Single(KeyProviderConfiguration.Parse(await File.ReadAllBytesAsync(directory["config.json"], TestContext.Current.CancellationToken)));
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

    private static async Task BuildAsync(TemporaryDirectory directory)
    {
        Directory.CreateDirectory(directory["tree"]);
        await File.WriteAllTextAsync(directory["tree/file"], "hello", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(directory["key"], s_key, TestContext.Current.CancellationToken);
        await ImageBuilder.BuildAsync([directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);
    }

    private sealed class Server(Process process, int port) : IAsyncDisposable
    {
        public int Port => port;

        public static async Task<Server> StartAsync(string key)
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var port = ((IPEndPoint)free.LocalEndpoint).Port;
            free.Stop();
            var process = Process.Start(new ProcessStartInfo(s_kist, ["image", "key-provider", "--port", $"{port}", "--key", $"{KeyId}={key}"]) { RedirectStandardError = true })!;
            Assert.Contains("key provider on", await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            return new Server(process, port);
        }

        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
