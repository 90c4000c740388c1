namespace Kist.Shim.Tests;

/// <summary>Cases that start more guests than a usual run should: they run where KIST_EXHAUSTIVE=1.</summary>
static class Exhaustive
{
    public static bool IsWanted { get; } = Environment.GetEnvironmentVariable("KIST_EXHAUSTIVE") == "1";

    public static void Require() => Assert.SkipUnless(IsWanted, "runs where KIST_EXHAUSTIVE=1");
}
