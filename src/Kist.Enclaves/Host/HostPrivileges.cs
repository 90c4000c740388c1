using System.Globalization;
using System.Runtime.CompilerServices;
using Kist.Enclaves.Manifests;
using Kist.Formats;
using Kist.Linux.Isolation;

namespace Kist.Enclaves.Host;

/// <summary>
/// The capabilities of the enclave host itself. It mounts its root with CAP_SYS_ADMIN and gives that up for good before
/// anything of the application runs; what it keeps serves to start programs as the manifest's user, to bring their
/// files in, and to look at their paths (CAP_SYS_PTRACE). Programs get what the manifest says, from their starter.
/// </summary>
/// <remarks>
/// Linux keeps capabilities by thread, and a new thread has its maker's. So this has to happen while there are only the
/// main thread and the runtime's finalizer thread, which nothing but a finalizer can run on.
/// </remarks>
static class HostPrivileges
{
    private static readonly string[] s_kept =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
        "CAP_SYS_PTRACE",
    ];

    /// <summary>Every thread but the calling one gives up what is not kept. /proc must be the kernel's.</summary>
    /// <exception cref="OperationFailedException">A thread still has more.</exception>
    public static void LimitOtherThreads(EnclaveManifest manifest)
    {
        var kept = KeptBy(manifest);
        LetFinalizerGiveUp(kept);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        foreach (var directory in Directory.EnumerateDirectories("/proc/self/task"))
        {
            var thread = Path.GetFileName(directory);
            if (thread == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
                continue;
            if ((Capabilities(directory, "CapPrm:") & ~kept) != 0 || (Capabilities(directory, "CapBnd:") & ~kept) != 0)
                throw new OperationFailedException("give up capabilities", $"thread {File.ReadAllText($"{directory}/comm").Trim()}", "it still has capabilities that only building the root needs");
        }
    }

    /// <summary>
    /// The calling thread, and so every thread that it starts, gives up what is not kept, after one last step that needs it
    /// and after which /proc may not be there.
    /// </summary>
    public static void LimitThisThread(EnclaveManifest manifest, Action lastStep)
    {
        var kept = KeptBy(manifest);
        var permitted = Permitted(kept);
        lastStep();
        GiveUp(kept, permitted);
    }

    private static ulong KeptBy(EnclaveManifest manifest) => Capability.SetOf(s_kept) | Capability.SetOf(manifest.Process.Capabilities);

    /// <summary>Nothing can be permitted that was not: the container may have been given less.</summary>
    private static ulong Permitted(ulong kept) => Capabilities("/proc/thread-self", "CapPrm:") & kept;

    private static void GiveUp(ulong kept, ulong permitted)
    {
        Privileges.LimitBounding(kept);
        Privileges.SetCapabilities(permitted, permitted, 0);
    }

    /// <summary>In a method of its own, so that no register or stack slot keeps the object alive.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LetFinalizerGiveUp(ulong kept) => _ = new FinalizerTask(kept);

    private static ulong Capabilities(string directory, string field) => ulong.Parse(
        File.ReadLines($"{directory}/status").First(l => l.StartsWith(field, StringComparison.Ordinal))[field.Length..].Trim(),
        NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private sealed class FinalizerTask(ulong kept)
    {
        ~FinalizerTask() => GiveUp(kept, Permitted(kept));
    }
}
