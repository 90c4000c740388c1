using System.Text;
using Kist.Linux;
using Kist.Linux.Isolation;
using Kist.Linux.Network;
using Kist.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Tests;

public sealed class IsolationTests
{
    [Fact]
    public void SecretMemory_Written_IsKeptAndZeroedOnDispose()
    {
        var memory = new SecretMemory(5000);
        Assert.Equal(0, memory.Span.IndexOfAnyExcept((byte)0) + 1);
        "a key"u8.CopyTo(memory.Span);
        Assert.True(memory.Span.StartsWith("a key"u8));
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        memory.Dispose();
    }

    /// <summary>The kernel refuses to read it even for this very process through /proc.</summary>
    [Fact]
    public void SecretMemory_ReadThroughProc_Fails()
    {
        using var memory = new SecretMemory(64);
        Assert.SkipUnless(memory.IsSecret, "this kernel has no memfd_secret");
        memory.Span.Fill(7);
        var buffer = new byte[64];
        Assert.Equal(-1, ProcessMemory.Read(Environment.ProcessId, (ulong)memory.Address, buffer));
        Assert.Equal(-1, buffer.AsSpan().IndexOf((byte)7));
    }

    [Fact]
    public async Task SeccompFilter_OnAThread_RefusesAndAsksTheSupervisor()
    {
        var listenerReady = new TaskCompletionSource<SafeFileHandle>(TaskCreationOptions.RunContinuationsAsynchronously);
        var exit = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Privileges.ForbidNew();
                var filter = new SeccompFilter();
                foreach (var call in Enum.GetValues<SystemCall>().Distinct())
                {
                    if (call is SystemCall.openat)
                        filter.Notify(call);
                    else if (call is SystemCall.chroot)
                        filter.Refuse(call, Errno.EPERM);
                    else
                        filter.AllowCall(call);
                }

                listenerReady.SetResult(filter.InstallOnThread());
                var pid = Spawner.Start(new ChildStart
                {
                    Program = "/bin/sh",
                    Arguments = ["-c", "cat /etc/hostname-that-is-refused && exit 1; cat /dev/null || exit 2; chroot / /bin/true && exit 3; exit 42"],
                    Environment = new Dictionary<string, string> { ["PATH"] = "/usr/sbin:/usr/bin:/bin" },
                });
                exit.SetResult(ProcessWait.ForChild(pid).ExitCode);
            }
            catch (Exception e)
            {
                listenerReady.TrySetException(e);
                exit.TrySetException(e);
            }
        });
        thread.Start();
        using var listener = new SeccompListener(await listenerReady.Task);
        var asked = new List<string>();
        while (listener.Next() is { } call)
        {
            var path = Encoding.UTF8.GetString(ProcessMemory.ReadString(call.ThreadId, call.Argument1, 4096) ?? []);
            asked.Add(path);
            if (path.Contains("refused", StringComparison.Ordinal))
                listener.Fail(call, Errno.EACCES);
            else
                listener.LetPass(call);
        }

        thread.Join();
        Assert.Contains("/etc/hostname-that-is-refused", asked);
        Assert.Contains("/dev/null", asked);
        Assert.Equal(42, await exit.Task);
    }

    [Fact]
    public void Landlock_OnAThread_LeavesOnlyTheGivenDirectory()
    {
        Assert.SkipUnless(Landlock.Version > 0, "this kernel has no Landlock");
        var allowed = Directory.CreateTempSubdirectory("kist-landlock-");
        var other = Directory.CreateTempSubdirectory("kist-landlock-");
        File.WriteAllText(Path.Combine(allowed.FullName, "a"), "a");
        File.WriteAllText(Path.Combine(other.FullName, "b"), "b");
        try
        {
            OnThread(() =>
            {
                Privileges.ForbidNew();
                Landlock.ConfineThread(allowed.FullName);
                Assert.Equal("a", File.ReadAllText(Path.Combine(allowed.FullName, "a")));
                Assert.Throws<UnauthorizedAccessException>(() => File.ReadAllText(Path.Combine(other.FullName, "b")));
            });
            Assert.Equal("b", File.ReadAllText(Path.Combine(other.FullName, "b")));
        }
        finally
        {
            allowed.Delete(recursive: true);
            other.Delete(recursive: true);
        }
    }

    [Fact]
    public void PacketSocket_PacketWithFile_ArrivesWithSenderAndFile()
    {
        var directory = Directory.CreateTempSubdirectory("kist-packet-");
        try
        {
            var path = Path.Combine(directory.FullName, "socket");
            using var listener = PacketSocket.Listen(path);
            using var client = PacketSocket.Connect(path);
            using var server = listener.Accept()!;
            var file = Path.Combine(directory.FullName, "file");
            File.WriteAllText(file, "content");
            using (var handle = File.OpenHandle(file))
                client.Send("hello"u8, handle);
            using (var packet = server.Receive(100)!)
            {
                Assert.Equal("hello"u8, packet.Data);
                Assert.Equal(Environment.ProcessId, packet.ProcessId);
                var content = new byte[7];
                Assert.Equal(7, RandomAccess.Read(packet.Files.Single(), content, 0));
                Assert.Equal("content"u8, content);
            }

            client.Send(new byte[200]);
            Assert.Throws<SystemCallException>(() => server.Receive(100));
            server.SetReceiveTimeout(TimeSpan.FromMilliseconds(20));
            Assert.True(Assert.Throws<SystemCallException>(() => server.Receive(100)).IsTransient);
            client.Dispose();
            Assert.Null(server.Receive(100));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void OnThread(Action action)
    {
        Exception? error = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                error = e;
            }
        });
        thread.Start();
        thread.Join();
        if (error is not null)
            throw new InvalidOperationException("on the confined thread", error);
    }
}
