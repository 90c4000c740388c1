using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Kist.KeyBroker.Bench;

/// <summary>A broker in a process of its own, whose processor time and memory are its own.</summary>
sealed class BrokerProcess : IDisposable
{
    public const int Port = 18450;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private BrokerProcess(Process process, TimeSpan firstResponse)
    {
        _process = process;
        FirstResponse = firstResponse;
    }

    /// <summary>From exec to the end of its first answer, over TLS.</summary>
    public TimeSpan FirstResponse { get; }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory in MiB, from /proc.</summary>
    public double ResidentMebibytes => Status("VmRSS:");

    /// <summary>The most that it ever was.</summary>
    public double PeakMebibytes => Status("VmHWM:");

    /// <summary>Memory of its own, without pages of files, in MiB.</summary>
    public double PrivateMebibytes => Status("RssAnon:");

    public static async Task<BrokerProcess> StartAsync(string kist, Setting setting, params string[] more)
    {
        var started = Stopwatch.GetTimestamp();
        var process = Process.Start(new ProcessStartInfo(kist,
            ["broker", "serve", "--state", setting["state"], "--listen", $"127.0.0.1:{Port}", "--allow-simulated",
             "--collateral", setting["collateral"], "--trust-anchor", setting.Anchor, "--peer-rate", "1000000", "--peer-burst", "1000000", .. more])
        {
            RedirectStandardError = true,
        })!;
        _ = process.StandardError.ReadToEndAsync();
        while (!await RespondsAsync())
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(started) > Patience)
                throw new InvalidOperationException("the broker did not start");
            await Task.Yield();
        }

        return new BrokerProcess(process, Stopwatch.GetElapsedTime(started));
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private double Status(string name) => double.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    private static async Task<bool> RespondsAsync()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port);
        }
        catch (SocketException)
        {
            return false;
        }

        await using var tls = new SslStream(new NetworkStream(socket), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        var answer = new byte[4096];
        return await tls.ReadAsync(answer) > 12 && answer.AsSpan().StartsWith("HTTP/1.1 200"u8);
    }
}
