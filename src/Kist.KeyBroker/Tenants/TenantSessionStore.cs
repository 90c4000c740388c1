using Kist.KeyBroker.Sessions;

namespace Kist.KeyBroker.Tenants;

/// <summary>A tenant's handshakes among all of them: one that was begun elsewhere is unknown here.</summary>
sealed class TenantSessionStore(ISessionStore shared, TenantScope scope) : ISessionStore
{
    public bool TryAdd(Session session, DateTimeOffset now) => shared.TryAdd(session with { Id = scope.Qualify(session.Id) }, now);

    public SessionUse TryUse(string id, DateTimeOffset now, out Session? session)
    {
        var use = shared.TryUse(scope.Qualify(id), now, out session);
        session = session is null ? null : session with { Id = id };
        return use;
    }

    public void SetToken(string id, string token) => shared.SetToken(scope.Qualify(id), token);

    public string? TokenOf(string id, DateTimeOffset now) => shared.TokenOf(scope.Qualify(id), now);
}
