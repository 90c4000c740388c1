using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Kist.Linux.Polling;
using Kist.Linux.Processes;

namespace Kist.Linux.Tests;

public class ChildProcessTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_Cat_CopiesThroughPolledPipes()
    {
        var (childInput, toChild) = Pipes.Create();
        var (fromChild, childOutput) = Pipes.Create();
        var child = ChildProcess.Start(new ChildStart
        {
            Program = "/bin/cat",
            Arguments = [],
            Files = new Dictionary<int, SafeHandle> { [0] = childInput, [1] = childOutput },
        });
        childInput.Dispose();
        childOutput.Dispose();
        await using var output = new PolledStream(fromChild, "output");
        var text = Encoding.ASCII.GetBytes(new string('x', 300_000)); // longer than a pipe holds

        await using (var input = new PolledStream(toChild, "input"))
        {
            var writing = input.WriteAsync(text, Token).AsTask();
            var read = new byte[text.Length];
            await output.ReadExactlyAsync(read, Token);
            await writing;
            Assert.Equal(text, read);
        }

        Assert.Equal(0, await output.ReadAsync(new byte[1], Token));
        Assert.Equal(new ChildExit(0, 0), await child.Exited.WaitAsync(Token));
    }

    [Theory]
    [InlineData("exit 7", 7, 0)]
    [InlineData("kill -TERM $$", 143, 15)]
    public async Task Exited_Shell_SaysHow(string script, int code, int signal)
    {
        var child = ChildProcess.Start(new ChildStart { Program = "/bin/sh", Arguments = ["-c", script] });

        Assert.Equal(new ChildExit(code, signal), await child.Exited.WaitAsync(Token));
        child.Signal(Signals.Kill);
    }

    [Fact]
    public async Task Start_Environment_IsOnlyWhatIsGiven()
    {
        var (read, write) = Pipes.Create();
        var child = ChildProcess.Start(new ChildStart
        {
            Program = "/usr/bin/env",
            Arguments = [],
            Environment = new Dictionary<string, string> { ["A"] = "ä b" },
            Files = new Dictionary<int, SafeHandle> { [1] = write },
        });
        write.Dispose();
        await using var output = new PolledStream(read, "output");
        using var reader = new StreamReader(output);

        Assert.Equal("A=ä b\n", await reader.ReadToEndAsync(Token));
        Assert.Equal(0, (await child.Exited).ExitCode);
    }

    [Fact]
    public async Task Start_SourceLiesWhereAnotherTargetWillBe_EachGetsItsOwn()
    {
        var (firstRead, firstWrite) = Pipes.Create();
        var (secondRead, secondWrite) = Pipes.Create();
        var (outputRead, outputWrite) = Pipes.Create();
        await using var toFirst = new PolledStream(firstWrite, "first");
        await using var toSecond = new PolledStream(secondWrite, "second");
        await toFirst.WriteAsync("first\n"u8.ToArray(), Token);
        await toSecond.WriteAsync("second\n"u8.ToArray(), Token);
        int first = (int)firstRead.DangerousGetHandle(), second = (int)secondRead.DangerousGetHandle();

        // Each pipe is to have the other's number.
        var child = ChildProcess.Start(new ChildStart
        {
            Program = "/bin/sh",
            Arguments = ["-c", $"head -n1 /dev/fd/{first}; head -n1 /dev/fd/{second}"],
            Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" },
            Files = new Dictionary<int, SafeHandle> { [first] = secondRead, [second] = firstRead, [1] = outputWrite },
        });
        outputWrite.Dispose();
        await using var output = new PolledStream(outputRead, "output");
        using var reader = new StreamReader(output);

        Assert.Equal("second\nfirst\n", await reader.ReadToEndAsync(Token));
        Assert.Equal(0, (await child.Exited).ExitCode);
        foreach (var end in (SafeHandle[])[firstRead, secondRead])
            end.Dispose();
    }

    [Fact]
    public void Start_NoSuchProgram_SaysSo() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<SystemCallException>(
            () => ChildProcess.Start(new ChildStart { Program = "/nothing", Arguments = [] })).Errno);

    [Fact]
    public async Task StartTied_ChildRuns_HasADeathSignalAndOutlivesThreads()
    {
        var child = ChildProcess.StartTied(new ChildStart { Program = "/bin/sleep", Arguments = ["60"] });
        try
        {
            // Threads of the pool come and go; the child's own thread stays.
            await Task.Delay(50, Token);
            Assert.False(child.Exited.IsCompleted);
            Assert.Equal("sleep", Process.GetProcessById(child.Id).ProcessName);
        }
        finally
        {
            child.Signal(Signals.Kill);
        }

        Assert.Equal(Signals.Kill, (await child.Exited.WaitAsync(Token)).Signal);
    }
}
