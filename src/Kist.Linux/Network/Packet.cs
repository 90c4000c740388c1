using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>One packet: its bytes, the files that came with it, and who sent it as the kernel says.</summary>
/// <param name="data">The bytes.</param>
/// <param name="files">The files, which the packet owns.</param>
/// <param name="processId">The sender at the time of sending, in the receiver's pid namespace; 0 if unknown.</param>
/// <param name="userId">The sender's user.</param>
public sealed class Packet(byte[] data, List<SafeFileHandle> files, int processId, uint userId) : IDisposable
{
    /// <summary>The bytes.</summary>
    public byte[] Data { get; } = data;

    /// <summary>The files that came with it.</summary>
    public IReadOnlyList<SafeFileHandle> Files => files;

    /// <summary>The sender at the time of sending, in the receiver's pid namespace; 0 if unknown.</summary>
    public int ProcessId { get; } = processId;

    /// <summary>The sender's user.</summary>
    public uint UserId { get; } = userId;

    /// <summary>Hands a file over to the caller, who disposes it.</summary>
    public SafeFileHandle Detach(SafeFileHandle file)
    {
        files.Remove(file);
        return file;
    }

    /// <summary>Closes the files that were not handed over.</summary>
    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
    }
}
