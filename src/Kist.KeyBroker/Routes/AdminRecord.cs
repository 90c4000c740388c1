using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Hosting;

namespace Kist.KeyBroker.Routes;

/// <summary>Audit entries of what administrators do.</summary>
static class AdminRecord
{
    public static AuditRecord Allowed(BrokerContext context, string kind, string subject) => new()
    {
        Kind = kind,
        Outcome = "allowed",
        Correlation = context.Correlation,
        Resource = subject,
        Actor = context.Admin?.Name,
        Peer = context.Peer,
    };
}
