using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Isolation;

/// <summary>
/// A seccomp(2) filter for x86-64: an allow-list, with calls that are refused for some arguments and calls that are
/// handed to a supervisor. Whatever is not named fails with ENOSYS, as on a kernel that lacks it, so that programs use
/// what older kernels have. Other architectures' calls kill the process.
/// </summary>
public sealed partial class SeccompFilter
{
    private const uint Allow = 0x7fff0000, UserNotification = 0x7fc00000, ErrnoAction = 0x00050000, KillProcess = 0x80000000;
    private const uint ArchitectureX64 = 0xc000003e, X32Bit = 0x40000000;
    private const int NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16;
    private const ushort LoadWord = 0x20, JumpEqual = 0x15, JumpGreaterOrEqual = 0x35, JumpBitsSet = 0x45, Return = 0x06;
    private const nint SetModeFilter = 1;
    private const uint NewListener = 8;
    private const int SystemSeccomp = 317;

    private readonly List<Instruction> _rules = [];

    /// <summary>Allows a call whatever its arguments.</summary>
    public SeccompFilter AllowCall(SystemCall call) => Rule(call, Allow);

    /// <summary>Hands a call to the supervisor that reads the listener.</summary>
    public SeccompFilter Notify(SystemCall call) => Rule(call, UserNotification);

    /// <summary>Refuses a call with an error number.</summary>
    public SeccompFilter Refuse(SystemCall call, int errno) => Rule(call, ErrnoAction | (uint)errno);

    /// <summary>
    /// Refuses a call if an argument has one of some bits set, and allows it otherwise. The argument's low half decides.
    /// </summary>
    public SeccompFilter RefuseBits(SystemCall call, int argument, uint bits, int errno)
    {
        _rules.Add(new(JumpEqual, 0, 4, (uint)call));
        _rules.Add(new(LoadWord, 0, 0, (uint)(ArgumentsOffset + (8 * argument))));
        _rules.Add(new(JumpBitsSet, 0, 1, bits));
        _rules.Add(new(Return, 0, 0, ErrnoAction | (uint)errno));
        _rules.Add(new(Return, 0, 0, Allow));
        return this;
    }

    /// <summary>Refuses a call if an argument has one of some values, and allows it otherwise.</summary>
    public SeccompFilter RefuseValue(SystemCall call, int argument, ReadOnlySpan<uint> values, int errno)
    {
        // Each value takes two instructions; a jump reaches 255.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, 100, nameof(values));
        _rules.Add(new(JumpEqual, 0, (byte)(2 + (2 * values.Length)), (uint)call));
        _rules.Add(new(LoadWord, 0, 0, (uint)(ArgumentsOffset + (8 * argument))));
        foreach (var value in values)
        {
            _rules.Add(new(JumpEqual, 0, 1, value));
            _rules.Add(new(Return, 0, 0, ErrnoAction | (uint)errno));
        }

        _rules.Add(new(Return, 0, 0, Allow));
        return this;
    }

    /// <summary>
    /// Puts this thread, and whatever it starts, under the filter for good, and returns the listener on which notified
    /// calls arrive. The thread must have given up new privileges (<see cref="Privileges.ForbidNew"/>).
    /// </summary>
    public unsafe SafeFileHandle InstallOnThread()
    {
        var program = Assemble();
        fixed (Instruction* instructions = program)
        {
            var header = new Program { Length = (ushort)program.Length, Instructions = instructions };
            var listener = syscall(SystemSeccomp, SetModeFilter, (nint)NewListener, (nint)(&header));
            return listener >= 0 ? new SafeFileHandle(listener, ownsHandle: true) : throw SystemCallException.Last("install", "seccomp filter");
        }
    }

    internal Instruction[] Assemble() =>
    [
        new(LoadWord, 0, 0, ArchitectureOffset),
        new(JumpEqual, 1, 0, ArchitectureX64),
        new(Return, 0, 0, KillProcess),
        new(LoadWord, 0, 0, NumberOffset),
        new(JumpGreaterOrEqual, 0, 1, X32Bit),
        new(Return, 0, 0, KillProcess),
        .. _rules,
        new(Return, 0, 0, ErrnoAction | (uint)Errno.ENOSYS),
    ];

    private SeccompFilter Rule(SystemCall call, uint action)
    {
        _rules.Add(new(JumpEqual, 0, 1, (uint)call));
        _rules.Add(new(Return, 0, 0, action));
        return this;
    }

    /// <summary>struct sock_filter: code, jumps when true and false, operand.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte WhenTrue, byte WhenFalse, uint Operand);

    /// <summary>struct sock_fprog on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Program
    {
        public ushort Length;
        public Instruction* Instructions;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint operation, nint flags, nint argument);
}
