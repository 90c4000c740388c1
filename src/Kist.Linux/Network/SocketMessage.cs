using System.Runtime.InteropServices;

namespace Kist.Linux.Network;

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct msghdr on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct cmsghdr on 64-bit Linux; its payload follows.</summary>
[StructLayout(LayoutKind.Sequential)]
struct ControlHeader
{
    public nuint Length;
    public int Level;
    public int Type;
}
