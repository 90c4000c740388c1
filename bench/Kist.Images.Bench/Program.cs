namespace Kist.Images.Bench;

/// <summary>Benchmarks of images. Each prints its own figure, the limit's or the peer's, measured in the same run, and the ratio.</summary>
static class Program
{
    static async Task<int> Main(string[] args)
    {
        var which = args.Length > 0 ? args[0] : "all";
        if (which is "cipher" or "all")
            CipherBench.Run();
        if (which is "layer" or "all")
            await LayerBench.RunAsync();
        if (which is "seal" or "all")
            SealBench.Run();
        return 0;
    }
}
