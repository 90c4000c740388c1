namespace Kist.Shim.Tests;

/// <summary>Ten pods at once: minutes of work where guests are emulated.</summary>
[Collection("containerd")]
public sealed class ManyPodsTests(Containerd fixture)
{
    private readonly Containerd _containerd = fixture.Require();

    [Fact]
    public void Run_SeveralAtOnce_EachHasItsOwnMachine()
    {
        Exhaustive.Require();
        var clients = Enumerable.Range(0, 10)
            .Select(i => _containerd.StartCtr(_containerd.Run($"crowd-{i}", ["--rm"], "/bin/sh", "-c", $"hostname; exit {i + 1}"))).ToArray();

        for (var i = 0; i < clients.Length; i++)
        {
            var result = clients[i].Finish();
            Assert.True(result.ExitCode == i + 1 && result.Output == $"crowd-{i}\n", result + string.Join('\n', File.ReadLines(_containerd.Log).TakeLast(20)));
        }

        for (var i = 0; i < 200 && Containerd.ShimsOf("crowd-").Count > 0; i++)
            Thread.Sleep(50);
        Assert.Empty(Containerd.ShimsOf("crowd-"));
    }
}
