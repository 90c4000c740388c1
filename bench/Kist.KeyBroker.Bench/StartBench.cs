namespace Kist.KeyBroker.Bench;

/// <summary>From exec to the first answer, and the memory of a broker with nothing to do.</summary>
static class StartBench
{
    private const int Rounds = 11;
    private const double FirstResponseAim = 65;
    private const double ResidentAim = 45;

    public static async Task RunAsync(string kist, Setting setting)
    {
        // The very first start makes keys and the schema, and is not what is measured.
        (await BrokerProcess.StartAsync(kist, setting)).Dispose();
        var times = new List<double>();
        double resident = 0, own = 0;
        for (var i = 0; i < Rounds; i++)
        {
            using var broker = await BrokerProcess.StartAsync(kist, setting);
            times.Add(broker.FirstResponse.TotalMilliseconds);
            if (i < Rounds - 1)
                continue;
            await Task.Delay(TimeSpan.FromSeconds(2));
            (resident, own) = (broker.ResidentMebibytes, broker.PrivateMebibytes);
        }

        times.Sort();
        Console.WriteLine($"exec to first answer      {times[Rounds / 2],8:0.0} ms, median of {Rounds} ({times[0]:0.0} to {times[^1]:0.0}); the aim is {FirstResponseAim}");
        Console.WriteLine($"resident, idle            {resident,8:0.0} MiB, of which its own {own:0.0}; the aim is {ResidentAim}");
    }
}
