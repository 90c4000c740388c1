using System.Buffers.Binary;

namespace Kist.Linux.Isolation;

/// <summary>A system call that waits for its supervisor (struct seccomp_notif, 80 bytes).</summary>
/// <param name="Id">Names the call in the answer.</param>
/// <param name="ThreadId">The calling thread, in the supervisor's pid namespace.</param>
/// <param name="Call">Which call.</param>
/// <param name="Argument0">First argument.</param>
/// <param name="Argument1">Second argument.</param>
/// <param name="Argument2">Third argument.</param>
/// <param name="Argument3">Fourth argument.</param>
/// <param name="Argument4">Fifth argument.</param>
public readonly record struct SeccompNotification(
    ulong Id, int ThreadId, SystemCall Call, ulong Argument0, ulong Argument1, ulong Argument2, ulong Argument3, ulong Argument4)
{
    internal const int Size = 80;

    /// <summary>0 8 id   8 4 pid   12 4 flags   16 4 nr   20 4 arch   24 8 instruction pointer   32 48 arguments.</summary>
    internal static SeccompNotification Read(ReadOnlySpan<byte> s) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(s),
        BinaryPrimitives.ReadInt32LittleEndian(s[8..]),
        (SystemCall)BinaryPrimitives.ReadInt32LittleEndian(s[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(s[32..]),
        BinaryPrimitives.ReadUInt64LittleEndian(s[40..]),
        BinaryPrimitives.ReadUInt64LittleEndian(s[48..]),
        BinaryPrimitives.ReadUInt64LittleEndian(s[56..]),
        BinaryPrimitives.ReadUInt64LittleEndian(s[64..]));
}
