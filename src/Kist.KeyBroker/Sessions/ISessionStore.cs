namespace Kist.KeyBroker.Sessions;

/// <summary>Open handshakes. Safe for concurrent use; every operation is atomic.</summary>
interface ISessionStore
{
    /// <summary>Keeps a new session. False if there is no room.</summary>
    bool TryAdd(Session session, DateTimeOffset now);

    /// <summary>
    /// Takes the session for its one verification: of any number of callers one gets it, and no later one does, whatever
    /// that verification ends with.
    /// </summary>
    SessionUse TryUse(string id, DateTimeOffset now, out Session? session);

    /// <summary>Records the token of a session that was used and accepted.</summary>
    void SetToken(string id, string token);

    /// <summary>The token of an attested session that has not expired, or null.</summary>
    string? TokenOf(string id, DateTimeOffset now);
}

/// <summary>What became of an attempt to use a session.</summary>
enum SessionUse
{
    /// <summary>Unknown or expired.</summary>
    Unknown,

    /// <summary>Used before.</summary>
    AlreadyUsed,

    /// <summary>The caller has it now.</summary>
    Granted,
}
