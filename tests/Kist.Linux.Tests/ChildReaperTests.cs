using System.Diagnostics;
using Kist.Linux.Processes;

namespace Kist.Linux.Tests;

public sealed class ChildReaperTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task New_NothingStarted_LeavesOthersTheirChildren()
    {
        using var running = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "read x; exit 7"]) { RedirectStandardInput = true })!;
        _ = new ChildReaper();
        await running.StandardInput.WriteLineAsync("go");
        await running.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal(7, running.ExitCode);
    }
}
