using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Processes;

/// <summary>
/// posix_spawn(3): a process is made without running managed code between fork and exec. The child starts with default
/// signal handling and an empty signal mask, whatever the runtime has set here.
/// </summary>
public static unsafe partial class Spawner
{
    // glibc's posix_spawn_file_actions_t has 80 bytes, posix_spawnattr_t 336, sigset_t 128.
    private const int OpaqueSize = 512, SignalSetSize = 128;
    private const short SetProcessGroup = 0x02, SetSignalDefaults = 0x04, SetSignalMask = 0x08, NewSession = 0x80;
    private const int ReadWrite = 2, DuplicateCloseOnExec = 1030;

    /// <summary>
    /// Starts a child of the calling thread, whose credentials and restrictions it takes on, and returns its identifier.
    /// The caller waits for it (see <see cref="ChildReaper"/> and <see cref="ChildProcess"/>).
    /// </summary>
    public static int Start(ChildStart start)
    {
        byte* actions = stackalloc byte[OpaqueSize], attributes = stackalloc byte[OpaqueSize], signals = stackalloc byte[SignalSetSize];
        Check(posix_spawn_file_actions_init(actions), start);
        Check(posix_spawnattr_init(attributes), start);
        var held = new List<SafeHandle>();
        var duplicates = new List<SafeFileHandle>();
        try
        {
            AddFiles(actions, start, held, duplicates);
            new Span<byte>(signals, SignalSetSize).Clear();
            Check(posix_spawnattr_setsigmask(attributes, signals), start);
            new Span<byte>(signals, SignalSetSize).Fill(0xff);
            Check(posix_spawnattr_setsigdefault(attributes, signals), start);
            var flags = (short)(SetSignalDefaults | SetSignalMask | (start.NewProcessGroup ? SetProcessGroup : 0) | (start.NewSession || start.Terminal is not null ? NewSession : 0));
            Check(posix_spawnattr_setflags(attributes, flags), start);
            if (start.WorkingDirectory is { } directory)
                Check(posix_spawn_file_actions_addchdir_np(actions, directory), start);
            using var argv = new NativeStrings([start.Name ?? start.Program, .. start.Arguments]);
            using var envp = new NativeStrings(start.Environment.Select(e => $"{e.Key}={e.Value}"));
            Check(posix_spawn(out var pid, start.Program, actions, attributes, argv.Pointer, envp.Pointer), start);
            return pid;
        }
        finally
        {
            foreach (var handle in held)
                handle.DangerousRelease();
            foreach (var duplicate in duplicates)
                duplicate.Dispose();
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>
    /// Descriptors are copied in growing order of their targets. A source that lies where a target will be could be
    /// overwritten before its turn, so such a source is first duplicated to a number above all targets.
    /// </summary>
    private static void AddFiles(byte* actions, ChildStart start, List<SafeHandle> held, List<SafeFileHandle> duplicates)
    {
        if (start.Terminal is { } terminal)
        {
            // The first terminal that the first process of a session opens becomes the session's.
            Check(posix_spawn_file_actions_addopen(actions, 0, terminal, ReadWrite, 0), start);
            Check(posix_spawn_file_actions_adddup2(actions, 0, 1), start);
            Check(posix_spawn_file_actions_adddup2(actions, 0, 2), start);
        }

        for (var standard = 0; start.Terminal is null && standard <= 2; standard++)
        {
            if (!start.Files.ContainsKey(standard))
                Check(posix_spawn_file_actions_addopen(actions, standard, "/dev/null", ReadWrite, 0), start);
        }

        var highest = start.Files.Keys.DefaultIfEmpty(2).Max();
        foreach (var (target, handle) in start.Files.OrderBy(f => f.Key))
        {
            var added = false;
            handle.DangerousAddRef(ref added);
            held.Add(handle);
            var source = (int)handle.DangerousGetHandle();
            if (source != target && (source <= 2 || start.Files.ContainsKey(source)))
            {
                source = SystemCallException.Check(fcntl(source, DuplicateCloseOnExec, highest + 1), "duplicate descriptor", start.Program);
                duplicates.Add(new SafeFileHandle(source, ownsHandle: true));
            }

            Check(posix_spawn_file_actions_adddup2(actions, source, target), start);
        }
    }

    private static void Check(int error, ChildStart start)
    {
        if (error != 0)
            throw new SystemCallException("start", start.Program, error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int file, int command, int argument);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(out int pid, string path, byte* actions, byte* attributes, byte** argv, byte** envp);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int source, int target);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int target, string path, int flags, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);
}
