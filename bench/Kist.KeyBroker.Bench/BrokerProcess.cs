using System.Diagnostics;
using System.Globalization;

namespace Kist.KeyBroker.Bench;

/// <summary>A broker in a process of its own, whose processor time and memory are its own.</summary>
sealed class BrokerProcess : IDisposable
{
    private readonly Process _process;

    public BrokerProcess(string kist, string state, int port, string collateral, string anchor)
    {
        var started = Stopwatch.GetTimestamp();
        _process = Process.Start(new ProcessStartInfo(kist,
            ["broker", "serve", "--state", state, "--listen", $"127.0.0.1:{port}", "--allow-simulated", "--collateral", collateral, "--trust-anchor", anchor])
        {
            RedirectStandardError = true,
        })!;
        while (_process.StandardError.ReadLine() is { } line)
        {
            if (line.Contains("administrator's token", StringComparison.Ordinal))
            {
                StartUp = Stopwatch.GetElapsedTime(started);
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException("the broker did not start");
    }

    /// <summary>From exec until it listens.</summary>
    public TimeSpan StartUp { get; }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory in MiB, from /proc.</summary>
    public double ResidentMebibytes => double.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
