namespace Kist.Attestation.Bench;

/// <summary>
/// Benchmarks of verification. Each prints its own figure, the limit's or the peer's, measured in the same run, and the ratio.
/// Arguments: the evidence corpus (default ../shared/evidence), and "peers" to run the peers too (bench/peers/dcap-qvl.sh).
/// </summary>
static class Program
{
    static void Main(string[] args)
    {
        var corpus = args.FirstOrDefault(a => a != "peers") ?? Path.Combine("..", "shared", "evidence");
        QuoteBench.Run(corpus, args.Contains("peers"));
        SnpBench.Run(corpus);
    }
}
