using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Linux.Polling;

/// <summary>
/// One thread that waits, by epoll(7), for every file that .NET's sockets cannot wait for: pipes, terminals, virtio
/// ports. It lives as long as the process.
/// </summary>
sealed partial class PollLoop
{
    private const uint In = 0x1, Out = 0x4, Error = 0x8, HangUp = 0x10, ReadHangUp = 0x2000, EdgeTriggered = 1u << 31;
    private const int Add = 1, Delete = 2, CloseOnExec = 0x80000;

    private static readonly Lazy<PollLoop> Instance = new(() => new PollLoop());

    private readonly SafeFileHandle _epoll;
    private readonly ConcurrentDictionary<long, PolledStream> _streams = [];
    private long _nextKey;

    private PollLoop()
    {
        _epoll = epoll_create1(CloseOnExec);
        if (_epoll.IsInvalid)
            throw SystemCallException.Last("create", "epoll");
        new Thread(Run, 128 << 10) { IsBackground = true, Name = "poll" }.Start();
    }

    public static PollLoop Shared => Instance.Value;

    /// <summary>Watches a file until <see cref="Unwatch"/>; the key names it.</summary>
    public long Watch(PolledStream stream, SafeFileHandle file)
    {
        var key = Interlocked.Increment(ref _nextKey);
        _streams[key] = stream;
        var watched = new EpollEvent { Events = In | Out | ReadHangUp | EdgeTriggered, Data = key };
        if (epoll_ctl(_epoll, Add, file, in watched) == 0)
            return key;
        _streams.TryRemove(key, out _);
        throw SystemCallException.Last("watch", "file");
    }

    public void Unwatch(long key, SafeFileHandle file)
    {
        if (_streams.TryRemove(key, out _))
            _ = epoll_ctl(_epoll, Delete, file, default);
    }

    private void Run()
    {
        Span<EpollEvent> events = stackalloc EpollEvent[32];
        while (true)
        {
            var count = epoll_wait(_epoll, events, events.Length, -1);
            for (var i = 0; i < count; i++)
            {
                if (!_streams.TryGetValue(events[i].Data, out var stream))
                    continue;
                var happened = events[i].Events;
                var ended = (happened & (Error | HangUp | ReadHangUp)) != 0;
                stream.OnReady(readable: ended || (happened & In) != 0, writable: ended || (happened & Out) != 0);
            }
        }
    }

    /// <summary>struct epoll_event is packed on x86-64 (sys/epoll.h).</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct EpollEvent
    {
        public uint Events;
        public long Data;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial SafeFileHandle epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(SafeFileHandle epoll, int operation, SafeFileHandle file, in EpollEvent watched);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(SafeFileHandle epoll, Span<EpollEvent> events, int maximum, int timeout);
}
