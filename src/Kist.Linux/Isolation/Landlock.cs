using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Isolation;

/// <summary>
/// landlock(7): confines the calling thread, and whatever it starts, to files beneath given directories, and forbids it
/// to change mounts, to reach processes outside by signals or abstract sockets, and to trace them.
/// </summary>
public static partial class Landlock
{
    private const int CreateRuleset = 444, AddRule = 445, RestrictSelf = 446;
    private const uint VersionFlag = 1;
    private const int PathBeneath = 1;
    private const ulong ScopeAbstractSocket = 1, ScopeSignal = 2;
    private const int OpenPath = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC

    /// <summary>The version of the kernel's interface; 0 where there is none.</summary>
    public static int Version => Math.Max(0, (int)syscall(CreateRuleset, 0, 0, (nint)VersionFlag));

    /// <summary>Restricts this thread for good. It must have given up new privileges.</summary>
    /// <param name="directories">The only directories beneath which files may be used, each with all of what is there.</param>
    /// <exception cref="SystemCallException">The kernel has no Landlock (ENOSYS, EOPNOTSUPP), or a directory is missing.</exception>
    public static void ConfineThread(params ReadOnlySpan<string> directories)
    {
        var version = Version;
        if (version == 0)
            throw new SystemCallException("confine", "thread (Landlock)", Errno.EOPNOTSUPP);
        var handled = HandledAccess(version);
        using var ruleset = CreateRules(handled, version);
        foreach (var directory in directories)
            Allow(ruleset, directory, handled);
        SystemCallException.Check((int)restrict(RestrictSelf, ruleset, 0), "confine", "thread (Landlock)");
    }

    /// <summary>EXECUTE to MAKE_SYM (13 bits), REFER from version 2, TRUNCATE from 3, IOCTL_DEV from 5.</summary>
    private static ulong HandledAccess(int version) => version switch
    {
        1 => (1UL << 13) - 1,
        2 => (1UL << 14) - 1,
        3 or 4 => (1UL << 15) - 1,
        _ => (1UL << 16) - 1,
    };

    /// <summary>struct landlock_ruleset_attr: 0 8 file access   8 8 network access   16 8 scopes (from version 6).</summary>
    private static SafeFileHandle CreateRules(ulong handled, int version)
    {
        Span<byte> attributes = stackalloc byte[24];
        attributes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(attributes, handled);
        if (version >= 6)
            BinaryPrimitives.WriteUInt64LittleEndian(attributes[16..], ScopeAbstractSocket | ScopeSignal);
        var size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
        var descriptor = create(CreateRuleset, attributes, size, 0);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw SystemCallException.Last("create", "Landlock ruleset");
    }

    /// <summary>struct landlock_path_beneath_attr, packed: 0 8 access   8 4 directory.</summary>
    private static void Allow(SafeFileHandle ruleset, string directory, ulong access)
    {
        using var parent = open(directory, OpenPath, 0);
        if (parent.IsInvalid)
            throw SystemCallException.Last("open directory", directory);
        Span<byte> rule = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(rule, access);
        BinaryPrimitives.WriteInt32LittleEndian(rule[8..], (int)parent.DangerousGetHandle());
        SystemCallException.Check((int)add(AddRule, ruleset, PathBeneath, rule, 0), "allow", directory);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint create(nint number, ReadOnlySpan<byte> attributes, nint size, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint add(nint number, SafeFileHandle ruleset, nint kind, ReadOnlySpan<byte> rule, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint restrict(nint number, SafeFileHandle ruleset, nint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);
}
