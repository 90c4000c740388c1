using Kist.Enclaves.Host;
using Kist.Enclaves.Platform;
using Kist.Enclaves.Runtime;
using Kist.Formats;
using Kist.Linux.Processes;

namespace Kist.Rune;

/// <summary>Sees to it that the simulated platform runs. One that nobody uses ends by itself.</summary>
static class PlatformStarter
{
    private const int IdleExitSeconds = 30;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static void Ensure(RuntimePlaces places)
    {
        var directory = places.PlatformDirectory;
        Directory.CreateDirectory(directory);
        var socket = Path.Combine(directory, HostPaths.PlatformSocketName);
        using var single = ExclusiveFile.Lock(Path.Combine(directory, "starting"), s_patience);
        if (PlatformClient.Answers(socket))
            return;
        using var log = File.OpenHandle(Path.Combine(directory, "platform.log"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        Spawner.Start(new ChildStart
        {
            Program = places.Program,
            Arguments = ["platform", "--directory", directory, "--idle-exit", $"{IdleExitSeconds}"],
            Files = new Dictionary<int, System.Runtime.InteropServices.SafeHandle> { [2] = log },
            WorkingDirectory = "/",
            NewProcessGroup = true,
        });
        var deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        while (!PlatformClient.Answers(socket))
        {
            if (Environment.TickCount64 > deadline)
                throw new OperationFailedException("start platform", socket, "it does not answer", $"see {directory}/platform.log");
            Thread.Sleep(5);
        }
    }
}
