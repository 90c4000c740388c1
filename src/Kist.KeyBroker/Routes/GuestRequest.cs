using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Routes;

/// <summary>What requests of attested workloads have in common.</summary>
static class GuestRequest
{
    private const int MaxQueryParameters = 16;

    /// <summary>
    /// The token of the attested session if there is one, else the bearer token; either is verified. What is refused here
    /// is counted and logged but not audited: nobody was identified, and anybody could fill the audit log.
    /// </summary>
    public static EarToken Token(BrokerServices services, BrokerContext context)
    {
        var text = (context.SessionCookie() is { } id ? services.Sessions.TokenOf(id, context.Now) : null) ?? context.Bearer()
            ?? throw new BrokerRefusal(BrokerError.TokenMissing);
        return services.Tokens.Verify(text, context.Now);
    }

    /// <summary>The query's parameters, which policies may look at.</summary>
    public static Dictionary<string, string> Query(BrokerContext context)
    {
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in context.Http.Request.Query)
        {
            if (values.Count != 1 || query.Count == MaxQueryParameters)
                throw new BrokerRefusal(BrokerError.Malformed.Saying($"at most {MaxQueryParameters} query parameters are taken, each once"));
            query[name] = values[0] ?? "";
        }

        return query;
    }
}
