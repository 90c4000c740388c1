using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Kist.Testing;

namespace Kist.Cli.Tests.Broker;

/// <summary>
/// TLS 1.3 with X25519MLKEM768 (RFC 9794's hybrid of X25519 and ML-KEM-768), where the platform's OpenSSL has it. Debian 12's has
/// not: kist runs here with Debian 13's libraries, and OpenSSL 3.5 at the other end says what was negotiated.
/// </summary>
public sealed class HybridTlsTests : IDisposable
{
    private const string Hybrid = "X25519MLKEM768";

    private readonly TemporaryDirectory _folder = new();
    private readonly List<Process> _processes = [];
    private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public HybridTlsTests() => _limit.CancelAfter(TimeSpan.FromSeconds(60));

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _limit.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Broker_WithOpenSsl35_PrefersTheHybridGroup()
    {
        var port = await ServeAsync();
        Assert.Contains($"Negotiated TLS1.3 group: {Hybrid}", await ConnectAsync(port), StringComparison.Ordinal);
        Assert.Contains($"Negotiated TLS1.3 group: {Hybrid}", await ConnectAsync(port, "-groups", Hybrid), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broker_WithOpenSsl35_StillServesClientsWithoutIt()
    {
        var said = await ConnectAsync(await ServeAsync(), "-groups", "X25519");
        Assert.Contains("Verification: OK", said, StringComparison.Ordinal);
        Assert.Contains("X25519", said, StringComparison.Ordinal);
        Assert.DoesNotContain(Hybrid, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_WithOpenSsl35_ConnectsToAServerThatHasTheHybridGroupOnly()
    {
        var (certificate, key) = (_folder["server.crt"], _folder["server.key"]);
        await RunAsync(Interop.OpenSsl35, ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
        var port = FreePort();
        var server = Start(Interop.OpenSsl35, ["s_server", "-accept", $"127.0.0.1:{port}", "-cert", certificate, "-key", key, "-tls1_3", "-groups", Hybrid, "-state"]);
        await ReadUntilAsync(server.StandardOutput, "ACCEPT");
        await File.WriteAllTextAsync(_folder["token"], "none", _limit.Token);
        var client = Start(Loader, Kist("secret", "list", "--broker", $"https://127.0.0.1:{port}", "--broker-certificate", certificate, "--admin-token", _folder["token"]));
        // The request arrives in clear at the server's end: the handshake was done, with the only group there was.
        var said = await ReadUntilAsync(server.StandardOutput, "HTTP/1.1");
        Assert.Contains("CIPHER is TLS_", said, StringComparison.Ordinal);
        client.Kill();
    }

    private string Loader => Path.Combine(_folder.Path, "dotnet");

    /// <summary>
    /// The arguments by which kist runs with the newer libraries. The runtime looks for itself beside the program that runs, and
    /// that is the loader: it is copied to where links lead to the runtime.
    /// </summary>
    private string[] Kist(params string[] arguments)
    {
        var libraries = Interop.Libraries;
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        if (!File.Exists(Loader))
        {
            File.Copy(Path.Combine(libraries, "ld-linux-x86-64.so.2"), Loader);
            foreach (var name in new[] { "host", "shared" })
                Directory.CreateSymbolicLink(Path.Combine(_folder.Path, name), Path.Combine(root, name));
        }

        return ["--library-path", libraries, Path.Combine(root, "dotnet"), Path.Combine(AppContext.BaseDirectory, "kist.dll"), .. arguments];
    }

    private async Task<int> ServeAsync()
    {
        var port = FreePort();
        var arguments = Kist("broker", "serve", "--state", _folder["state"], "--listen", $"127.0.0.1:{port}");
        await ReadUntilAsync(Start(Loader, arguments).StandardError, "listening on");
        return port;
    }

    private Task<string> ConnectAsync(int port, params string[] options) =>
        RunAsync(Interop.OpenSsl35, ["s_client", "-connect", $"127.0.0.1:{port}", "-CAfile", _folder["state/tls.crt"], "-tls1_3", .. options]);

    private async Task<string> RunAsync(string program, string[] arguments)
    {
        var process = Start(program, arguments);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(_limit.Token);
        var said = await process.StandardOutput.ReadToEndAsync(_limit.Token) + await errors;
        await process.WaitForExitAsync(_limit.Token);
        Assert.True(process.ExitCode == 0, said);
        return said;
    }

    private Process Start(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _processes.Add(process);
        return process;
    }

    private async Task<string> ReadUntilAsync(StreamReader reader, string end)
    {
        var said = new StringBuilder();
        while (await reader.ReadLineAsync(_limit.Token) is { } line)
        {
            said.AppendLine(line);
            if (line.Contains(end, StringComparison.Ordinal))
                return said.ToString();
        }

        Assert.Fail($"\"{end}\" was not said: {said}");
        return "";
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
