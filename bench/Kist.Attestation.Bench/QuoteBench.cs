using System.Globalization;
using Kist.Attestation.Dcap;

namespace Kist.Attestation.Bench;

/// <summary>SGX and TDX quotes: warm (platform and collateral remembered), with full findings, and cold (everything from its bytes).</summary>
static class QuoteBench
{
    private static readonly DateTimeOffset s_time = new(2025, 6, 25, 0, 0, 0, TimeSpan.Zero);

    public static void Run(string corpus, bool peers)
    {
        var limit = Measure.OpensslVerify("ecdsap256");
        Print("openssl speed ecdsap256, verifications", limit, null);
        foreach (var (tee, folder) in new[] { ("sgx", "sgx/coffee-gramine-prod"), ("tdx", "tdx/b0c06f-phala") })
        {
            var quote = File.ReadAllBytes(Path.Combine(corpus, folder, "quote.dat"));
            var collateral = File.ReadAllBytes(Path.Combine(corpus, folder, "collateral.json"));
            Bench(corpus, tee, quote, collateral, limit, peers);
        }

        Print("openssl again, to show drift", Measure.OpensslVerify("ecdsap256"), limit);
    }

    private static void Bench(string corpus, string tee, byte[] quote, byte[] collateral, double limit, bool peers)
    {
        var options = Options(collateral);
        var reportData = quote.AsSpan(tee == "sgx" ? 48 + 320 : 48 + 520, 64).ToArray();
        var verifier = new QuoteVerifier(options);
        void Warm() => Require(verifier.Verify(quote, reportData, s_time));
        var warm = Measure.PerSecond(Warm);
        Print($"{tee}: warm quote", warm, limit);
        Console.WriteLine($"    allocated a quote: {Measure.BytesAllocated(Warm):0.#} bytes");
        var (one, many) = (Measure.PerSecond(Warm, 1), Measure.PerSecond(Warm, Environment.ProcessorCount));
        Console.WriteLine($"    on 1 thread {one.Wall:0}/s of wall time, {one.Processor:0}/s of processor time");
        Console.WriteLine($"    on {Environment.ProcessorCount} threads {many.Wall:0}/s of wall time ({many.Wall / one.Wall:0.00} times), {many.Processor:0}/s of processor time ({many.Processor / one.Processor:0.00} times)");
        var evidence = new Evidence { Tee = tee, Bytes = quote };
        Print($"{tee}: full verdict, collateral parsed before", Measure.PerSecond(() => Require(EvidenceVerifier.Verify(evidence, ExpectedBinding.None, options).IsAccepted)), limit);
        var cold = Measure.PerSecond(() => Require(EvidenceVerifier.Verify(evidence, ExpectedBinding.None, Options(collateral)).IsAccepted));
        Print($"{tee}: cold quote, everything from its bytes", cold, limit);
        if (!peers)
            return;
        foreach (var kind in new[] { "js", "web" })
        {
            var peer = double.Parse(Measure.Run("bench/peers/dcap-qvl.sh", corpus, tee, kind).Trim(), CultureInfo.InvariantCulture);
            Print($"{tee}: dcap-qvl, {kind}", peer, limit);
            Console.WriteLine($"    ours to the peer: warm {warm / peer:0.0} times, cold {cold / peer:0.0} times");
        }
    }

    private static VerificationOptions Options(byte[] collateral)
    {
        var reader = new CollateralReader();
        reader.Add(collateral);
        return new VerificationOptions
        {
            Time = s_time,
            Collateral = reader.Build(s_time),
            Tcb = TcbPolicy.Default with { AcceptedStatuses = [.. TcbPolicy.Default.AcceptedStatuses, "ConfigurationAndSWHardeningNeeded"] },
        };
    }

    private static void Require(bool accepted)
    {
        if (!accepted)
            throw new InvalidOperationException("the quote was not accepted, so that nothing was measured");
    }

    private static void Print(string what, double rate, double? limit) =>
        Console.WriteLine($"{what,-52} {rate,9:0}/s{(limit is { } l ? $"   {rate / l:0.000} of openssl" : "")}");
}
