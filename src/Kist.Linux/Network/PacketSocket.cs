using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Network;

/// <summary>
/// A Unix socket of packets (SOCK_SEQPACKET) that carries open files (SCM_RIGHTS) and the sender's credentials by packet
/// (SCM_CREDENTIALS), which say who sends now, not who connected. Blocking; shut it down to end a wait.
/// </summary>
public sealed unsafe partial class PacketSocket : IDisposable
{
    private const int FamilyUnix = 1, SeqPacket = 5, SocketCloseOnExec = 0x80000;
    private const int SocketLevel = 1, PassCredentials = 16, Rights = 1, Credentials = 2;
    private const int MessageCloseOnExec = 0x40000000, NoSignal = 0x4000, Truncated = 0x20, ControlTruncated = 0x08;
    private const int MaxFiles = 8, ControlSize = 128, MaxPathLength = 107;
    private const int Backlog = 64, ReadAndWrite = 2;

    private readonly SafeFileHandle _socket;

    private PacketSocket(SafeFileHandle socket) => _socket = socket;

    /// <summary>Listens at a path that must not exist. Whoever may reach the path may connect.</summary>
    public static PacketSocket Listen(string path)
    {
        var socket = Create();
        try
        {
            var address = Address(path);
            fixed (byte* a = address)
            {
                SystemCallException.Check(bind(socket._socket, a, (uint)address.Length), "bind", path);
                SystemCallException.Check(listen(socket._socket, Backlog), "listen", path);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a path.</summary>
    public static PacketSocket Connect(string path)
    {
        var socket = Create();
        try
        {
            var address = Address(path);
            fixed (byte* a = address)
                SystemCallException.Check(connect(socket._socket, a, (uint)address.Length), "connect", path);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a connection; null once the listener was shut down.</summary>
    public PacketSocket? Accept()
    {
        while (true)
        {
            var accepted = accept4(_socket, null, null, SocketCloseOnExec);
            if (!accepted.IsInvalid)
                return new PacketSocket(accepted);
            var error = Marshal.GetLastPInvokeError();
            accepted.Dispose();
            if (error == Errno.EINVAL)
                return null;
            if (error is not (Errno.EINTR or 103))
                throw new SystemCallException("accept", "socket", error);
        }
    }

    /// <summary>Ends all waits on this socket.</summary>
    public void Shutdown() => _ = shutdown(_socket, ReadAndWrite);

    /// <summary>Gives up waiting for a packet after this long: <see cref="Receive"/> then throws (EAGAIN).</summary>
    public void SetReceiveTimeout(TimeSpan limit)
    {
        const int ReceiveTimeout = 20;
        ReadOnlySpan<long> time = [(long)limit.TotalSeconds, limit.Microseconds + (limit.Milliseconds * 1000L)];
        fixed (long* t = time)
            SystemCallException.Check(setsockopt(_socket, SocketLevel, ReceiveTimeout, t, 16), "set time limit", "socket");
    }

    /// <summary>Sends one packet.</summary>
    public void Send(ReadOnlySpan<byte> data, params ReadOnlySpan<SafeFileHandle> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, MaxFiles, nameof(files));
        byte* control = stackalloc byte[ControlSize];
        fixed (byte* bytes = data)
        {
            var vector = new IoVector { Base = bytes, Length = (nuint)data.Length };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (files.Length > 0)
            {
                var header = (ControlHeader*)control;
                *header = new ControlHeader { Length = (nuint)(sizeof(ControlHeader) + (4 * files.Length)), Level = SocketLevel, Type = Rights };
                for (var i = 0; i < files.Length; i++)
                    ((int*)(control + sizeof(ControlHeader)))[i] = (int)files[i].DangerousGetHandle();
                message.Control = control;
                message.ControlLength = (nuint)((sizeof(ControlHeader) + (4 * files.Length) + 7) & ~7);
            }

            nint sent;
            do
                sent = sendmsg(_socket, &message, NoSignal);
            while (sent < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
            SystemCallException.Check((int)sent, "send", "socket");
        }
    }

    /// <summary>Receives one packet of at most <paramref name="limit"/> bytes; null at the end.</summary>
    /// <exception cref="SystemCallException">The packet or its files did not fit, the time limit passed, or the call failed.</exception>
    public Packet? Receive(int limit)
    {
        var data = new byte[limit];
        byte* control = stackalloc byte[ControlSize];
        fixed (byte* bytes = data)
        {
            var vector = new IoVector { Base = bytes, Length = (nuint)limit };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlSize };
            nint length;
            do
                length = recvmsg(_socket, &message, MessageCloseOnExec);
            while (length < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
            SystemCallException.Check((int)length, "receive", "socket");
            var (files, process, user) = ReadControl(control, (int)message.ControlLength);
            if ((message.Flags & (Truncated | ControlTruncated)) == 0)
                return length == 0 && files.Count == 0 ? null : new Packet(data[..(int)length], files, process, user);
            foreach (var file in files)
                file.Dispose();
            throw new SystemCallException("receive", "a packet larger than its limit", 90);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static (List<SafeFileHandle> Files, int Process, uint User) ReadControl(byte* control, int length)
    {
        var files = new List<SafeFileHandle>();
        var (process, user) = (0, uint.MaxValue);
        for (var at = 0; at + sizeof(ControlHeader) <= length;)
        {
            var header = (ControlHeader*)(control + at);
            var size = (int)header->Length;
            if (size < sizeof(ControlHeader) || at + size > length)
                break;
            var payload = control + at + sizeof(ControlHeader);
            if (header->Level == SocketLevel && header->Type == Rights)
            {
                for (var i = 0; i < (size - sizeof(ControlHeader)) / 4; i++)
                    files.Add(new SafeFileHandle(((int*)payload)[i], ownsHandle: true));
            }
            else if (header->Level == SocketLevel && header->Type == Credentials)
            {
                (process, user) = (((int*)payload)[0], ((uint*)payload)[1]);
            }

            at += (size + 7) & ~7;
        }

        return (files, process, user);
    }

    private static PacketSocket Create()
    {
        var handle = socket(FamilyUnix, SeqPacket | SocketCloseOnExec, 0);
        if (handle.IsInvalid)
            throw SystemCallException.Last("create", "socket");
        var created = new PacketSocket(handle);
        var one = 1;
        SystemCallException.Check(setsockopt(handle, SocketLevel, PassCredentials, &one, 4), "ask for credentials", "socket");
        return created;
    }

    private static byte[] Address(string path)
    {
        var name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > MaxPathLength)
            throw new SystemCallException("use socket path", path, 36);
        return [FamilyUnix, 0, .. name, 0];
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(SafeFileHandle socket, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(SafeFileHandle socket, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(SafeFileHandle socket, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle accept4(SafeFileHandle socket, byte* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(SafeFileHandle socket, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeFileHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeFileHandle socket, MessageHeader* message, int flags);
}
