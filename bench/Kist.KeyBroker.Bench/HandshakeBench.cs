using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Bench;

/// <summary>Handshakes and reads by one broker, a second of its processor time, which is a second of one core.</summary>
static class HandshakeBench
{
    public const string Secret = "bench/key/1";

    private const int Guests = 8;

    /// <summary>A reference set that the setting's machine meets, and a secret.</summary>
    public static async Task PrepareAsync(Setting setting)
    {
        using var admin = Admin(setting);
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "bench",
                Tee = "tdx",
                Source = "bench",
                Expires = TimeProvider.System.GetUtcNow().AddDays(1),
                Claims = new Dictionary<string, IReadOnlyList<string>>
                {
                    ["quote.body.mr_td"] = [setting.Domain.MrTd.ToString()],
                    ["quote.body.rtmr_1"] = [setting.Domain.Rtmrs[1].ToString()],
                },
            },
            CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse(Secret), new byte[32], CancellationToken.None);
    }

    public static KeyBrokerAdminClient Admin(Setting setting) => new(
        new Uri($"https://127.0.0.1:{BrokerProcess.Port}"), File.ReadAllText(Path.Combine(setting["state"], "tls.crt")), File.ReadAllText(Path.Combine(setting["state"], "admin.token")));

    public static async Task RunAsync(BrokerProcess broker, Setting setting, Floor floor, int count)
    {
        Console.WriteLine("                                                  a second of one core    of the bare cryptography");
        Print("handshake, sample TEE, new connection", await HandshakesAsync(broker, () => new BenchGuest(null, true), count), floor.Connection);
        var bytes = await BytesAsync(setting);
        Print("handshake, TDX quote, new connection", await HandshakesAsync(broker, () => new BenchGuest(setting.Domain, true), count), floor.Connection + floor.HandshakeCold(bytes), floor.Connection + floor.HandshakeWarm(bytes));
        Print("handshake, TDX quote, kept connection", await HandshakesAsync(broker, () => new BenchGuest(setting.Domain, false), count), floor.HandshakeCold(bytes), floor.HandshakeWarm(bytes));
        Print("read with a valid token", await ReadsAsync(broker, setting, count * 4), floor.Read);
    }

    public static async Task<double> HandshakesAsync(BrokerProcess broker, Func<BenchGuest> create, int count)
    {
        await EachAsync(create, 20 * Guests, g => g.AttestAsync());
        var before = broker.ProcessorTime;
        await EachAsync(create, count, g => g.AttestAsync());
        return count / (broker.ProcessorTime - before).TotalSeconds;
    }

    public static async Task<double> ReadsAsync(BrokerProcess broker, Setting setting, int count)
    {
        using var first = new BenchGuest(setting.Domain, false);
        var token = await first.AttestAsync();
        BenchGuest Create() => new(setting.Domain, false);
        await EachAsync(Create, 20 * Guests, g => g.ReadAsync(token, Secret));
        var before = broker.ProcessorTime;
        await EachAsync(Create, count, g => g.ReadAsync(token, Secret));
        return count / (broker.ProcessorTime - before).TotalSeconds;
    }

    /// <summary>How much one handshake hashes and encrypts, by its real messages and collateral.</summary>
    private static async Task<HandshakeBytes> BytesAsync(Setting setting)
    {
        using var guest = new BenchGuest(setting.Domain, false);
        var token = await guest.AttestAsync();
        var collateral = new DirectoryInfo(setting["collateral"]).EnumerateFiles().Sum(f => f.Length);
        return new HandshakeBytes(collateral, guest.SentBytes, token.Length);
    }

    private static Task EachAsync(Func<BenchGuest> create, int count, Func<BenchGuest, Task> act) =>
        Task.WhenAll(Enumerable.Range(0, Guests).Select(_ => Task.Run(async () =>
        {
            using var guest = create();
            for (var i = 0; i < count / Guests; i++)
                await act(guest);
        })));

    private static void Print(string what, double rate, params double[] floors) =>
        Console.WriteLine($"{what,-50}{rate,10:0}{"",14}{string.Join(", warm ", floors.Select(f => $"{rate * f:0.00} (limit {1 / f:0})"))}");
}
