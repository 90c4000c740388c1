namespace Kist.EndToEnd;

/// <summary>A pod of several containers, and what the host may do with it while it runs: only what its policy allows.</summary>
public sealed class PodTests(SharedPod pod) : IClassFixture<SharedPod>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private KistProgram Kist => pod.Installation.Require().Kist;

    [Fact]
    public async Task Logs_OfEachContainer_AreItsOwn()
    {
        Assert.Equal("setup done\n", (await Kist.RunAsync("logs", SharedPod.Name, "-c", "setup")).Stdout);
        Assert.StartsWith("prepared\nshop\n", (await Kist.RunAsync("logs", SharedPod.Name, "-c", "web")).Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_AllowedCommands_RunInTheirContainers()
    {
        var file = await Kist.RunAsync("exec", "-c", "web", SharedPod.Name, "cat", "/etc/web/web.conf");
        Assert.True(file.ExitCode == 0, file.ToString());
        Assert.Equal("listen 8080", file.Stdout);
        var streams = await Kist.RunAsync("exec", "-c", "db", SharedPod.Name, "sh", "-c", "echo out; echo err >&2; exit 9");
        Assert.Equal(9, streams.ExitCode);
        Assert.Equal("out\n", streams.Stdout);
        Assert.Equal("err\n", streams.Stderr);
    }

    [Fact]
    public async Task Exec_WhatIsNotAllowed_IsDeniedByTheGuest()
    {
        foreach (var arguments in (string[][])[["-c", "web", SharedPod.Name, "sh"], ["-c", "db", SharedPod.Name, "cat", "/etc/web/web.conf"], ["-c", "web", "-e", "LD_PRELOAD=/x", SharedPod.Name, "cat", "/etc/web/web.conf"], ["-c", "web", "-u", "app", SharedPod.Name, "cat", "/etc/web/web.conf"]])
        {
            var result = await Kist.RunAsync(["exec", .. arguments]);
            Assert.True(result.ExitCode == 3, result.ToString());
            Assert.Contains("policy", result.Stderr, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task GuestServices_TwoContainersWithDifferentGrants_GetDifferentAnswers()
    {
        string[] fetch = SharedPod.Fetch.Split(' ');
        var web = await Kist.RunAsync(["exec", "-c", "web", SharedPod.Name, .. fetch]);
        Assert.True(web.ExitCode == 0, web.ToString());
        Assert.Equal(SharedPod.Secret, web.Stdout);
        var db = await Kist.RunAsync(["exec", "-c", "db", SharedPod.Name, .. fetch]);
        Assert.NotEqual(0, db.ExitCode);
        Assert.Contains("403", db.Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain(SharedPod.Secret, db.Stdout + db.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attach_ContainerWithInput_IsWrittenAndRead()
    {
        using var attached = Kist.Start("attach", "-c", "db", SharedPod.Name);
        try
        {
            await attached.StandardInput.WriteAsync("hello\n".AsMemory(), Cancel);
            await attached.StandardInput.FlushAsync(Cancel);
            Assert.Equal("db got hello", await attached.StandardOutput.ReadLineAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancel));
        }
        finally
        {
            attached.Kill();
            await attached.WaitForExitAsync(Cancel);
        }
    }

    [Fact]
    public async Task Published_Port_LeadsToTheProgram()
    {
        Assert.NotNull(pod.Installation.Require());
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        Assert.Equal("page\n", await client.GetStringAsync(new Uri($"http://{pod.Published}/"), Cancel));
        Assert.StartsWith("127.0.0.1:", pod.Published, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PortForward_OnlyAllowedPorts_AreConnected()
    {
        var denied = await Kist.RunAsync("port-forward", SharedPod.Name, "9999");
        Assert.NotEqual(0, denied.ExitCode);
        Assert.Contains("policy", denied.Stderr, StringComparison.Ordinal);
        var silent = await Kist.RunAsync("port-forward", SharedPod.Name, "8081");
        Assert.NotEqual(0, silent.ExitCode);
        Assert.Contains("no program of the pod listens there", silent.Stderr, StringComparison.Ordinal);
        using var forward = Kist.Start("port-forward", SharedPod.Name, "8080");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancel);
            using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
            Assert.Equal("page\n", await client.GetStringAsync(new Uri($"http://{line!.Split(' ')[0]}/"), Cancel));
        }
        finally
        {
            forward.Kill();
            await forward.WaitForExitAsync(Cancel);
        }
    }
}
