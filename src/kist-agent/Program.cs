using Kist.Agent.Boot;
using Kist.Agent.Service;
using Kist.Linux.Devices;
using Kist.Linux.Processes;
using Kist.Pods.Protocol;

namespace Kist.Agent;

/// <summary>
/// The guest's first and only program of its own: PID 1. Whatever ends it ends the machine, since a guest without its
/// agent is of no use to anybody and must not run on.
/// </summary>
static class Program
{
    static async Task<int> Main(string[] arguments)
    {
        if (arguments is ["--version"])
        {
            Console.Out.WriteLine($"kist-agent {AgentVersion.Text}");
            return 0;
        }

        if (Environment.ProcessId != 1)
        {
            Console.Error.WriteLine("kist-agent: it is the first process of a guest (PID 1) and nothing else");
            return 2;
        }

        try
        {
            await RunAsync();
        }
#pragma warning disable CA1031 // An exception that leaves PID 1 is a kernel panic: say what it was and power off.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Console.Error.WriteLine($"kist-agent: {e.GetType().Name}: {e.Message}");
        }

        Power.Off();
        return 1;
    }

    private static async Task RunAsync()
    {
        var progress = new ProgressLog();
        var start = progress.Start("boot.kernel", "", at: 0);
        start.Finish();
        ProcessControl.ForbidDumps();
        // One processor gives one pool thread, and the pool adds others only after half a second.
        ThreadPool.SetMinThreads(8, 8);
        using (progress.Run("boot.mounts"))
            FileSystems.Mount();
        using (progress.Run("boot.modules"))
            GuestModules.Load();
        var guest = new Guest(progress);
        await using var control = await VirtioPorts.OpenAsync(PodPorts.Agent);
        // Answered from now on; what needs the rest of the boot waits for it.
        var booting = guest.BootAsync();
        await new AgentService(guest, booting).ServeAsync(control);
        // The host hung up or asked to shut down: nobody is left for whom this guest could run.
        await guest.StopAsync();
    }
}
