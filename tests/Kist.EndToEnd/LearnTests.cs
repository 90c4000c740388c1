namespace Kist.EndToEnd;

/// <summary>Learn mode: a run is observed, a policy is proposed, and it allows that run.</summary>
public sealed class LearnTests(Installation installation)
{
    [Fact]
    public async Task Run_Learn_RecordsAndProposes()
    {
        var record = Path.GetTempFileName();
        var result = await installation.Require().Kist.RunAsync(
            "run", "--rm", "--learn", record, installation.Image, "sh", "-c", "wget -O- http://127.0.0.1:8006/cdh/resource/default/learned/key >/dev/null 2>&1; echo done");
        Assert.True(result.ExitCode == 0, result.ToString());
        var policy = await installation.MustAsync("policy", "learn", record);
        File.Delete(record);
        Assert.Contains("kbs:///default/learned/key", policy, StringComparison.Ordinal);
        Assert.Contains("\"name\": \"main\"", policy, StringComparison.Ordinal);
        Assert.Contains("\"output\": true", policy, StringComparison.Ordinal);
        Assert.Contains("\"input\": false", policy, StringComparison.Ordinal);
    }
}
