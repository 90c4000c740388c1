using System.Diagnostics;

namespace Kist.KeyBroker.Bench;

/// <summary>Many guests at once: each connects, attests, and reads a secret some times. No error is allowed.</summary>
static class LoadBench
{
    private const int ReadsEach = 5;
    private const int Slow = 500;

    public static async Task RunAsync(BrokerProcess broker, Setting setting, int guests)
    {
        await RunAsync(broker, setting, guests, "");
        using var slow = await SlowPeers.ConnectAsync(Slow);
        await RunAsync(broker, setting, guests, $", beside {Slow} peers that never finish");
    }

    private static async Task RunAsync(BrokerProcess broker, Setting setting, int guests, string beside)
    {
        var started = Stopwatch.GetTimestamp();
        var all = Enumerable.Range(0, guests).Select(_ => new BenchGuest(setting.Domain, false)).ToList();
        // All connections are open at the same time: nobody reads before everybody has attested.
        var tokens = await Task.WhenAll(all.Select(g => g.AttestAsync()));
        await Task.WhenAll(all.Select(async (guest, i) =>
        {
            for (var n = 0; n < ReadsEach; n++)
                await guest.ReadAsync(tokens[i], HandshakeBench.Secret);
        }));
        var elapsed = Stopwatch.GetElapsedTime(started);
        Console.WriteLine($"{guests} guests at once, {ReadsEach} reads each{beside}: no error, {elapsed.TotalSeconds:0.0} s; resident {broker.ResidentMebibytes:0.0} MiB, at most {broker.PeakMebibytes:0.0}");
        all.ForEach(g => g.Dispose());
    }
}
