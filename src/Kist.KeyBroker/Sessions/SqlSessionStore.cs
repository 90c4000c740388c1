using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Sessions;

/// <summary>Sessions of a broker with several replicas: any of them answers any step of a handshake.</summary>
sealed class SqlSessionStore(Database database, int capacity) : ISessionStore
{
    // Counting and clearing up are done once for so many new sessions, so that their cost is small.
    private const int Stride = 64;

    private int _added = -1;
    private volatile bool _full;

    public bool TryAdd(Session session, DateTimeOffset now)
    {
        if (_full || Interlocked.Increment(ref _added) % Stride == 0)
            _full = CountAfterCleaning(now) >= capacity;
        if (_full)
            return false;
        database.Write(connection => connection.Execute(
            "INSERT INTO session (id, tee, nonce, expires, used) VALUES (@id, @tee, @nonce, @expires, 0)",
            ("@id", session.Id), ("@tee", session.Tee), ("@nonce", session.Nonce), ("@expires", session.Expires)));
        return true;
    }

    public SessionUse TryUse(string id, DateTimeOffset now, out Session? session)
    {
        var (use, found) = database.Write(connection =>
        {
            var granted = connection.Single(
                "UPDATE session SET used = 1 WHERE id = @id AND used = 0 AND expires > @now RETURNING tee, nonce, expires",
                r => new Session(id, r.GetString(0), r.GetString(1), r.Time(2)), ("@id", id), ("@now", now));
            if (granted is not null)
                return (SessionUse.Granted, granted);
            var known = connection.Scalar<long>("SELECT COUNT(*) FROM session WHERE id = @id AND expires > @now", ("@id", id), ("@now", now)) > 0;
            return (known ? SessionUse.AlreadyUsed : SessionUse.Unknown, (Session?)null);
        });
        session = found;
        return use;
    }

    public void SetToken(string id, string token) => database.Write(connection =>
        connection.Execute("UPDATE session SET token = @token WHERE id = @id", ("@id", id), ("@token", token)));

    public string? TokenOf(string id, DateTimeOffset now) => database.Read(connection => connection.Scalar<string>(
        "SELECT token FROM session WHERE id = @id AND expires > @now", ("@id", id), ("@now", now)));

    private long CountAfterCleaning(DateTimeOffset now) => database.Write(connection =>
    {
        connection.Execute("DELETE FROM session WHERE expires <= @now", ("@now", now));
        return connection.Scalar<long>("SELECT COUNT(*) FROM session");
    });
}
