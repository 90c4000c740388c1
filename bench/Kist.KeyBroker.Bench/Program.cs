using System.Globalization;

namespace Kist.KeyBroker.Bench;

/// <summary>
/// One broker process measured by its own processor time. Arguments: the kist program; then any of start, handshakes,
/// policies, scale, load (default: all), and --count N for the number of handshakes.
/// </summary>
static class Program
{
    private const int GuestsAtOnce = 1000;

    static async Task<int> Main(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("usage: Kist.KeyBroker.Bench KIST [start] [handshakes] [policies] [scale] [load] [--count N]");
            return 2;
        }

        var at = Array.IndexOf(args, "--count");
        var count = at < 0 ? 800 : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
        var parts = args[1..(at < 0 ? args.Length : at)];
        bool Wanted(string part) => parts.Length == 0 || parts.Contains(part);

        using var setting = new Setting();
        if (Wanted("start"))
            await StartBench.RunAsync(args[0], setting);
        if (Wanted("handshakes") || Wanted("load"))
        {
            using var broker = await BrokerProcess.StartAsync(args[0], setting);
            await HandshakeBench.PrepareAsync(setting);
            if (Wanted("handshakes"))
            {
                var floor = new Floor();
                Console.WriteLine(floor);
                await HandshakeBench.RunAsync(broker, setting, floor, count);
                Console.WriteLine($"resident after this       {broker.ResidentMebibytes,8:0.0} MiB");
            }

            if (Wanted("load"))
                await LoadBench.RunAsync(broker, setting, GuestsAtOnce);
        }

        if (Wanted("policies"))
            PolicyBench.Run(setting);
        if (Wanted("scale"))
            await ScaleBench.RunAsync(args[0]);
        return 0;
    }
}
