using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Kist.Testing;

/// <summary>Debian's docker-registry on a loopback port, with its storage in a temporary directory. Tests skip where it is missing.</summary>
public sealed class LocalRegistry : IAsyncDisposable
{
    private readonly Process _process;
    private bool _disposed;

    private LocalRegistry(Process process, int port, string directory)
    {
        _process = process;
        Port = port;
        Storage = directory;
    }

    public int Port { get; }

    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Where the registry keeps its blobs, for tests that damage them.</summary>
    public string Storage { get; }

    /// <param name="authentication">Lines of YAML for the "auth" section, or null for none.</param>
    /// <param name="tls">Files of the server's certificate and key, or null for plain http.</param>
    public static async Task<LocalRegistry> StartAsync(string? authentication = null, (string Certificate, string Key)? tls = null)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry"), "docker-registry is not installed");
        var directory = Directory.CreateTempSubdirectory("kist-registry-").FullName;
        var port = FreePort();
        var config = Path.Combine(directory, "config.yml");
        await File.WriteAllTextAsync(config, $"""
            version: 0.1
            log: {"{level: error}"}
            storage:
              filesystem: {"{"}rootdirectory: {directory}/data{"}"}
              delete: {"{enabled: true}"}
            http:
              addr: 127.0.0.1:{port}
            {(tls is { } files ? $"  tls: {{certificate: {files.Certificate}, key: {files.Key}}}" : "")}
            {authentication}
            """);
        var process = Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", config])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OTEL_TRACES_EXPORTER"] = "none" },
        })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var registry = new LocalRegistry(process, port, directory);
        await registry.WaitAsync(tls is null);
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(Storage, recursive: true);
    }

    private async Task WaitAsync(bool plain)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler);
        for (var i = 0; i < 200; i++)
        {
            try
            {
                using var response = await http.GetAsync(new Uri($"{(plain ? "http" : "https")}://{Host}/v2/"));
                if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized)
                    return;
            }
            catch (HttpRequestException)
            {
                Assert.False(_process.HasExited, "docker-registry ended at once");
            }

            await Task.Delay(50);
        }

        Assert.Fail("docker-registry did not answer within ten seconds");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
