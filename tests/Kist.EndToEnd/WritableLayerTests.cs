using System.Globalization;
using System.Text;

namespace Kist.EndToEnd;

/// <summary>What a container of a sealed image writes lies on an encrypted disk of the host, not in the guest's memory.</summary>
public sealed class WritableLayerTests(Installation installation, SealedImages images) : IClassFixture<SealedImages>
{
    private const string Marker = "written-by-the-container";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>
    /// More than the guest's memory holds; then too much, and room again; then what the host sees, and what happens when it
    /// changes that.
    /// </summary>
    [Fact]
    public async Task Run_SealedImage_WritesToADiskThatTheHostCannotReadOrChange()
    {
        var image = await images.SealAsync("writable");
        using var run = installation.Kist.Start(
            "run", "--rm", "-i", "--writable", "192m", image.Image, "sh", "-c",
            $$"""
            grep -q ' / overlay .*upperdir=/run/kist/writable/' /proc/mounts && echo on disk
            dd if=/dev/zero of=/big bs=1M count=150 2>&1 | grep -c 'No space'
            rm /big
            dd if=/dev/zero of=/big bs=1M count=250 2>&1 | grep -o 'No space left on device'
            rm /big
            cp /data/large /copy && cmp /data/large /copy && echo copied
            yes {{Marker}} | head -c 16777216 > /marked
            sync
            dd if=/marked of=/dev/null bs=1M iflag=direct 2>/dev/null && echo right
            echo ready
            read go
            dd if=/marked of=/dev/null bs=1M iflag=direct 2>/dev/null || echo refused
            echo over
            """);
        var before = await ReadUntilAsync(run.StandardOutput, "ready");
        Assert.Equal("on disk\n0\nNo space left on device\ncopied\nright\nready\n", before);

        await using (var disk = OpenScratch(run.Id))
        {
            var content = new byte[disk.Length];
            await disk.ReadExactlyAsync(content, Cancel);
            Assert.True(content.Count(b => b != 0) > 30 << 20, "the container's files are not on the disk");
            Assert.Equal(-1, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Marker)));
            Damage(content);
            disk.Position = 0;
            await disk.WriteAsync(content, Cancel);
        }

        await run.StandardInput.WriteLineAsync("go");
        run.StandardInput.Close();
        var after = await run.StandardOutput.ReadToEndAsync(Cancel);
        Assert.Equal("refused\nover\n", after);
        await run.WaitForExitAsync(Cancel);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Run_InMemory_IsSoIfAsked()
    {
        var image = await images.SealAsync("unwritten");
        var result = await installation.Kist.RunAsync("run", "--rm", "--writable", "memory", image.Image, "sh", "-c", "echo a > /a; grep -c upperdir=/run/kist/containers/ /proc/mounts");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("1\n", result.Stdout);
    }

    [Fact]
    public async Task HostileHost_WritesToADiskThatTheOwnerDidNotAllow_IsDenied()
    {
        var failure = await HostilePod.RefusalAsync(installation.Require(), installation.Image, tamperRequest: r => r.WritableDisk = "writable-layer");
        Assert.Equal(Kist.Pods.Protocol.FailureCode.PolicyDenied, HostilePod.CodeOf(failure));
    }

    /// <summary>Everything but the beginning, which holds what the file system cannot do without.</summary>
    private static void Damage(byte[] content)
    {
        for (var i = 24 << 20; i < content.Length; i += 512)
            content[i] ^= 1;
    }

    /// <summary>The virtual machine's scratch disk, which has no name: as its owner, the host, can still reach it.</summary>
    private static FileStream OpenScratch(int supervisor)
    {
        foreach (var process in ProcessTree.Below(supervisor))
        {
            foreach (var descriptor in Directory.GetFiles($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/fd"))
            {
                if (File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName is { } target && target.Contains("/scratch/", StringComparison.Ordinal))
                    return new FileStream(descriptor, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            }
        }

        throw new InvalidOperationException("the machine has no scratch disk");
    }

    private static async Task<string> ReadUntilAsync(StreamReader reader, string last)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            text.Append(line).Append('\n');
            if (line == last)
                break;
        }

        return text.ToString();
    }
}
