using System.Runtime.InteropServices;

namespace Kist.Linux.Isolation;

/// <summary>
/// What the calling thread, and whatever it starts, may do. Linux keeps credentials by thread; libc's wrappers change
/// all threads at once, so the bare system calls are made here.
/// </summary>
public static partial class Privileges
{
    private const int SetNoNewPrivileges = 38, DropBoundingCapability = 24, AmbientCapability = 47, ClearAmbient = 4;
    private const int CapabilityVersion3 = 0x20080522;
    private const int LastCapability = 40;

    /// <summary>PR_SET_NO_NEW_PRIVS: set-user-id programs and file capabilities have no effect any more.</summary>
    public static void ForbidNew() => Check(prctl(SetNoNewPrivileges, 1, 0, 0, 0), "forbid new privileges");

    /// <summary>Leaves only these capabilities in the bounding set, and no ambient ones. Needs CAP_SETPCAP.</summary>
    /// <param name="kept">Bit n is capability n (linux/capability.h).</param>
    public static void LimitBounding(ulong kept)
    {
        for (var capability = 0; capability <= LastCapability; capability++)
        {
            if ((kept & (1UL << capability)) == 0)
                Check(prctl(DropBoundingCapability, capability, 0, 0, 0), $"drop capability {capability}");
        }

        Check(prctl(AmbientCapability, ClearAmbient, 0, 0, 0), "clear ambient capabilities");
    }

    /// <summary>Sets the supplementary groups, the group and the user of this thread. Root's capabilities go with root.</summary>
    public static void SetUser(uint user, uint group, ReadOnlySpan<uint> groups)
    {
        CheckCall(setgroups((nint)SystemCall.setgroups, groups.Length, groups), "set groups");
        CheckCall(syscall((nint)SystemCall.setresgid, (nint)group, (nint)group, (nint)group), "set group");
        CheckCall(syscall((nint)SystemCall.setresuid, (nint)user, (nint)user, (nint)user), "set user");
    }

    /// <summary>Sets effective, permitted and inheritable capabilities of this thread.</summary>
    public static void SetCapabilities(ulong effective, ulong permitted, ulong inheritable)
    {
        ReadOnlySpan<uint> header = [CapabilityVersion3, 0];
        ReadOnlySpan<uint> data =
        [
            (uint)effective, (uint)permitted, (uint)inheritable,
            (uint)(effective >> 32), (uint)(permitted >> 32), (uint)(inheritable >> 32),
        ];
        CheckCall(capset((nint)SystemCall.capset, header, data), "set capabilities");
    }

    private static void Check(int result, string step) => SystemCallException.Check(result, step, "thread");

    private static void CheckCall(nint result, string step) => SystemCallException.Check((int)result, step, "thread");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint setgroups(nint number, nint count, ReadOnlySpan<uint> groups);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint capset(nint number, ReadOnlySpan<uint> header, ReadOnlySpan<uint> data);
}
