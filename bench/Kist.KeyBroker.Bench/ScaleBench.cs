using System.Diagnostics;
using System.Globalization;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Bench;

/// <summary>The same work with an empty broker and with a full one: costs must not grow with what is stored.</summary>
static class ScaleBench
{
    private const int AuditEntries = 1_000_000;
    private const int Resources = 100_000;
    private const int ReferenceSets = 100_000;
    private const int Batch = 10_000;

    public static async Task RunAsync(string kist)
    {
        using var empty = new Setting();
        var small = await MeasureAsync(kist, empty, 1);
        using var full = new Setting();
        var filling = Stopwatch.StartNew();
        Fill(full);
        Console.WriteLine($"filled in {filling.Elapsed.TotalSeconds:0} s: {AuditEntries} audit entries, {Resources} secrets, {ReferenceSets} reference sets; {new FileInfo(System.IO.Path.Combine(full["state"], "broker.db")).Length >> 20} MiB");
        var large = await MeasureAsync(kist, full, AuditEntries / 2);
        Console.WriteLine($"{"",-44}{"empty",12}{"full",12}{"ratio",10}");
        foreach (var (name, value) in small)
            Console.WriteLine($"{name,-44}{value,12:0.00}{large[name],12:0.00}{large[name] / value,10:0.00}");
    }

    private static async Task<Dictionary<string, double>> MeasureAsync(string kist, Setting setting, long middle)
    {
        (await BrokerProcess.StartAsync(kist, setting)).Dispose();
        using var broker = await BrokerProcess.StartAsync(kist, setting);
        await HandshakeBench.PrepareAsync(setting);
        var figures = new Dictionary<string, double>
        {
            ["exec to first answer, ms"] = broker.FirstResponse.TotalMilliseconds,
            ["resident, idle, MiB"] = broker.ResidentMebibytes,
            ["handshakes a second of one core"] = await HandshakeBench.HandshakesAsync(broker, () => new BenchGuest(setting.Domain, false), 400),
            ["reads a second of one core"] = await HandshakeBench.ReadsAsync(broker, setting, 2000),
        };
        using var admin = HandshakeBench.Admin(setting);
        var (from, until) = (At(middle), At(middle + 1000));
        foreach (var (name, search) in new (string, AuditSearch)[]
        {
            ("search: latest, ms", new AuditSearch()),
            ("search: a time long ago, ms", new AuditSearch { From = from, Until = until }),
            ("search: workload, ms", new AuditSearch { Workload = Workload(middle) }),
            ("search: resource, ms", new AuditSearch { Resource = Path(middle) }),
            ("search: denied, ms", new AuditSearch { Outcome = "denied" }),
            ("search: denied reads long ago, ms", new AuditSearch { Kind = "resource.read", Outcome = "denied", Until = until }),
            ("search: correlation, ms", new AuditSearch { Correlation = Correlation(middle) }),
            ("search: a TEE that there is not, ms", new AuditSearch { Tee = "snp" }),
        })
        {
            figures[name] = await MedianAsync(() => admin.SearchAuditAsync(search, CancellationToken.None));
        }

        var head = await admin.GetAuditHeadAsync(CancellationToken.None);
        figures["inclusion proof, ms"] = await MedianAsync(() => admin.GetInclusionProofAsync(0, head.Size, CancellationToken.None));
        return figures;
    }

    private static void Fill(Setting setting)
    {
        var options = new KeyBrokerOptions { StateDirectory = setting["state"], AllowSimulated = true };
        using var services = new BrokerServices(options, new RegoPolicyEngine(options.Time));
        var now = options.Time.GetUtcNow();
        InBatches(services, Resources, i => services.Resources.Put(Path(i), new byte[32], now, "bench", static _ => { }));
        InBatches(services, ReferenceSets, i => services.References.Put(
            new ReferenceSet
            {
                Name = $"set-{i}",
                Tee = "tdx",
                Source = "bench",
                Expires = now.AddYears(1),
                Claims = new Dictionary<string, IReadOnlyList<string>> { ["quote.body.mr_td"] = [i.ToString("x96", CultureInfo.InvariantCulture)] },
            }, now, "bench"));
        InBatches(services, AuditEntries, i => services.Audit.Append(new AuditRecord
        {
            Kind = i % 3 == 0 ? "attest" : "resource.read",
            Outcome = i % 1000 == 7 ? "denied" : "allowed",
            Correlation = Correlation(i),
            Tee = i % 3 == 0 ? "tdx" : null,
            Resource = i % 3 == 0 ? null : Path(i),
            Workload = Workload(i),
            Peer = "10.0.0.1",
        }, At(i)));
    }

    private static void InBatches(BrokerServices services, int count, Action<int> act)
    {
        for (var start = 0; start < count; start += Batch)
        {
            services.Database.Write(() =>
            {
                for (var i = start; i < Math.Min(count, start + Batch); i++)
                    act(i);
            });
        }
    }

    private static async Task<double> MedianAsync(Func<Task> act)
    {
        var times = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await act();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    // One entry a second, the last one an hour ago.
    private static DateTimeOffset At(long i) => TimeProvider.System.GetUtcNow().AddHours(-1).AddSeconds(i - AuditEntries);

    private static string Path(long i) => $"tenant{i % 100}/key/{i % Resources}";

    private static string Workload(long i) => $"workload-{i / 10}";

    private static string Correlation(long i) => i.ToString("x32", CultureInfo.InvariantCulture);
}
