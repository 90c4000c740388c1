using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;
using Kist.Measurement;
using Kist.Measurement.Tdx;
using Kist.Simulator;
using Kist.Testing;

namespace Kist.KeyBroker.Bench;

/// <summary>
/// Handshakes and reads by one broker process, a second of its own processor time, beside what the bare cryptography of the
/// same work would allow, measured in the same run. Arguments: the kist program, and the number of handshakes (default 300).
/// </summary>
static class Program
{
    private const int Clients = 8;

    static async Task<int> Main(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("usage: Kist.KeyBroker.Bench KIST [HANDSHAKES]");
            return 2;
        }

        var handshakes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 300;
        using var folder = new Folder();
        var vendor = SimulatedVendor.FromSeed(new byte[32]);
        SimulatedCollateralDirectory.Write(folder["collateral"], vendor, SimulatedCollateral.Issue(vendor, TimeProvider.System.GetUtcNow().AddHours(-1)));
        using var broker = new BrokerProcess(args[0], folder["state"], 18450, folder["collateral"], Path.Combine(folder["collateral"], SimulatedCollateralDirectory.TrustAnchorFile));
        Console.WriteLine($"start until it listens     {broker.StartUp.TotalMilliseconds,10:0} ms (first start: makes its keys)");
        Console.WriteLine($"resident, idle             {broker.ResidentMebibytes,10:0.0} MiB");

        var endpoint = new Uri("https://127.0.0.1:18450");
        var certificate = await File.ReadAllTextAsync(Path.Combine(folder["state"], "tls.crt"));
        using var admin = new KeyBrokerAdminClient(endpoint, certificate, await File.ReadAllTextAsync(Path.Combine(folder["state"], "admin.token")));
        var inputs = new LaunchInputs
        {
            Firmware = SyntheticOvmf.WithTdx().Build(),
            Kernel = new SyntheticKernel().Build(),
            Initrd = "initrd"u8.ToArray(),
            CommandLine = "quiet",
            MemoryBytes = 512 << 20,
            MrConfigId = new byte[48],
            Profile = TdxLaunchProfile.Simulated,
        };
        var domain = new SimulatedTdxPlatform(vendor).Launch(inputs);
        await admin.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = "bench", Tee = "tdx", Source = "bench", Expires = TimeProvider.System.GetUtcNow().AddDays(1),
                Claims = new Dictionary<string, IReadOnlyList<string>> { ["quote.body.mr_td"] = [domain.MrTd.ToString()], ["quote.body.rtmr_1"] = [domain.Rtmrs[1].ToString()] },
            },
            CancellationToken.None);
        await admin.PutResourceAsync(ResourceUri.Parse("bench/key/1"), RandomNumberGenerator.GetBytes(32), CancellationToken.None);

        Console.WriteLine();
        Console.WriteLine("                            per second of the broker's processor time");
        var sample = await HandshakesAsync(broker, endpoint, certificate, () => new SampleTee(), handshakes);
        var tdx = await HandshakesAsync(broker, endpoint, certificate, () => new TdxTee(domain), handshakes);
        var reads = await ReadsAsync(broker, endpoint, certificate, domain, handshakes * 5);
        var (crypto, read) = Cryptography.PerSecond();
        Print("handshake, sample evidence", sample, null);
        Print("handshake, TDX quote", tdx, crypto);
        Print("read with a valid token", reads, read);
        Console.WriteLine($"bare cryptography of a TDX handshake {crypto,10:0}; of a read {read,10:0}");
        Console.WriteLine($"resident, after the load   {broker.ResidentMebibytes,10:0.0} MiB");
        return 0;
    }

    private static void Print(string what, double rate, double? limit) =>
        Console.WriteLine($"{what,-28}{rate,10:0}{(limit is { } l ? $"   {rate / l:0.00} of the bare cryptography" : "")}");

    private static async Task<double> HandshakesAsync(BrokerProcess broker, Uri endpoint, string certificate, Func<IGuestEvidenceSource> tee, int count)
    {
        var options = new KeyBrokerClientOptions { Endpoint = endpoint, CertificatePem = certificate };
        async Task Run(int n)
        {
            var source = tee();
            for (var i = 0; i < n; i++)
            {
                using var client = new KeyBrokerClient(options, source);
                await client.GetTokenAsync(CancellationToken.None);
            }
        }

        await Run(10);
        var before = broker.ProcessorTime;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => Run(count / Clients))));
        return count / Clients * Clients / (broker.ProcessorTime - before).TotalSeconds;
    }

    private static async Task<double> ReadsAsync(BrokerProcess broker, Uri endpoint, string certificate, SimulatedTrustDomain domain, int count)
    {
        var clients = Enumerable.Range(0, Clients).Select(_ => new KeyBrokerClient(new KeyBrokerClientOptions { Endpoint = endpoint, CertificatePem = certificate }, new TdxTee(domain))).ToList();
        foreach (var client in clients)
            (await client.GetResourceAsync("bench/key/1", CancellationToken.None)).Dispose();
        var before = broker.ProcessorTime;
        await Task.WhenAll(clients.Select(c => Task.Run(async () =>
        {
            for (var i = 0; i < count / Clients; i++)
                (await c.GetResourceAsync("bench/key/1", CancellationToken.None)).Dispose();
        })));
        var rate = count / Clients * Clients / (broker.ProcessorTime - before).TotalSeconds;
        clients.ForEach(c => c.Dispose());
        return rate;
    }

    private sealed class SampleTee : IGuestEvidenceSource
    {
        public string Tee => "sample";

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) =>
            Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes($$"""{"svn":"1","report_data":"{{Convert.ToBase64String(reportData.Span)}}"}"""));
    }

    private sealed class TdxTee(SimulatedTrustDomain domain) : IGuestEvidenceSource
    {
        private static readonly Lock Signing = new();

        public string Tee => "tdx";

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
        {
            var padded = new byte[SimulatedTrustDomain.ReportDataSize];
            reportData.CopyTo(padded);
            byte[] quote;
            lock (Signing)
                quote = domain.Quote(padded);
            return Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(
                $$"""{"quote":"{{Convert.ToBase64String(quote)}}","cc_eventlog":"{{Convert.ToBase64String(domain.EventLog.Span)}}"}"""));
        }
    }

    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("kist-bench-").FullName;

        public string this[string name] => Path.Combine(_path, name);

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}

/// <summary>The public-key operations of the same work alone, by the platform's library, with keys already imported.</summary>
static class Cryptography
{
    // Quote, QE report, three PCK certificates, TCB info and QE identity, their signing chain, and two CRLs.
    private const int VerifiesOfQuote = 9;

    public static (double Handshake, double Read) PerSecond()
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var hash = RandomNumberGenerator.GetBytes(32);
        var signature = signer.SignHash(hash);
        var verify = Seconds(() => signer.VerifyHash(hash, signature));
        var sign = Seconds(() => signer.SignHash(hash));
        using var guest = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var publicKey = EcJsonWebKey.FromPublicKey(guest, JweAlgorithms.EcdhEsA256KW);
        var secret = new byte[32];
        var encrypt = Seconds(() => JweEncryption.EncryptFlattened(secret, publicKey));
        return (1 / ((VerifiesOfQuote * verify) + sign), 1 / (verify + encrypt));
    }

    private static double Seconds(Action operation)
    {
        const int count = 2000;
        for (var i = 0; i < 200; i++)
            operation();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < count; i++)
            operation();
        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds / count;
    }
}
