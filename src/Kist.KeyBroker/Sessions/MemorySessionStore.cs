using System.Collections.Concurrent;

namespace Kist.KeyBroker.Sessions;

/// <summary>Sessions of a broker that runs once: in memory, bounded, and gone with the process, after which guests begin anew.</summary>
sealed class MemorySessionStore(int capacity) : ISessionStore
{
    private readonly ConcurrentDictionary<string, Entry> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(DateTimeOffset Expires, string Id)> _byExpiry = new();
    private int _count;

    public bool TryAdd(Session session, DateTimeOffset now)
    {
        RemoveExpired(now);
        if (Interlocked.Increment(ref _count) > capacity)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        _sessions[session.Id] = new Entry(session);
        _byExpiry.Enqueue((session.Expires, session.Id));
        return true;
    }

    public SessionUse TryUse(string id, DateTimeOffset now, out Session? session)
    {
        session = null;
        if (!_sessions.TryGetValue(id, out var entry) || entry.Session.Expires <= now)
            return SessionUse.Unknown;
        if (!entry.TryUse())
            return SessionUse.AlreadyUsed;
        session = entry.Session;
        return SessionUse.Granted;
    }

    public void SetToken(string id, string token)
    {
        if (_sessions.TryGetValue(id, out var entry))
            entry.Token = token;
    }

    public string? TokenOf(string id, DateTimeOffset now) =>
        _sessions.TryGetValue(id, out var entry) && entry.Session.Expires > now ? entry.Token : null;

    // All sessions live equally long, so that the queue is in the order of their ends.
    private void RemoveExpired(DateTimeOffset now)
    {
        while (_byExpiry.TryPeek(out var oldest) && oldest.Expires <= now && _byExpiry.TryDequeue(out oldest))
        {
            if (oldest.Expires > now)
            {
                // Another caller took the one that was seen; this one still lives.
                _byExpiry.Enqueue(oldest);
                return;
            }

            if (_sessions.TryRemove(oldest.Id, out _))
                Interlocked.Decrement(ref _count);
        }
    }

    private sealed class Entry(Session session)
    {
        private int _used;

        public Session Session { get; } = session;

        public volatile string? Token;

        public bool TryUse() => Interlocked.Exchange(ref _used, 1) == 0;
    }
}
