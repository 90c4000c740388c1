namespace Kist.KeyBroker.Administration;

/// <summary>Who a bearer token is: one of the broker's own tokens, or an identity provider's.</summary>
sealed class AdminAuthenticator(AdminTokens own, ProviderTokens providers)
{
    public AdminIdentity? Find(string token, DateTimeOffset now) => AdminTokens.IsOne(token) ? own.Find(token, now) : providers.Find(token, now);
}
