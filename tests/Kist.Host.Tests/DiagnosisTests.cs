namespace Kist.Host.Tests;

public sealed class DiagnosisTests
{
    [Fact]
    public async Task Run_EveryItem_SaysWhatItMeansAndWhatToDoIfBroken()
    {
        using var temporary = new TemporaryState();
        var items = await Diagnosis.RunAsync(temporary.State, TestContext.Current.CancellationToken);
        Assert.Equal(items.Count, items.Select(i => i.Id).Distinct().Count());
        Assert.Contains(items, i => i.Id == "machine.accelerator");
        Assert.Contains(items, i => i is { Id: "services", State: DiagnosisState.Absent, Remedy: "kist up" });
        Assert.All(items, i => Assert.False(string.IsNullOrWhiteSpace(i.Consequence)));
        Assert.All(items.Where(i => i.State == DiagnosisState.Broken), i => Assert.NotNull(i.Remedy));
    }
}
