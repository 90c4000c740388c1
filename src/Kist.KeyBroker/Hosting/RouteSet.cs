using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Routes;

namespace Kist.KeyBroker.Hosting;

/// <summary>The routes of the protocol and Kist's own, over the services of one tenant.</summary>
sealed class RouteSet(BrokerServices services, ServerCertificate certificate)
{
    private static readonly string[] ForTheWholeBroker = ["tenants", "master-key", "explain"];

    private readonly HandshakeRoutes _handshake = new(services);
    private readonly ResourceRoutes _resources = new(services);
    private readonly PluginRoutes _plugins = new(services);
    private readonly PolicyRoutes _policies = new(services);
    private readonly ReferenceImportRoutes _imports = new(services);
    private readonly ReferenceRoutes _references = new(services, new ReferenceImportRoutes(services));
    private readonly ResourceAdminRoutes _resourceAdmin = new(services);
    private readonly TermsRoutes _terms = new(services);
    private readonly ProposalRoutes _proposals = new(services);
    private readonly AdminTokenRoutes _adminTokens = new(services);
    private readonly AuditRoutes _audit = new(services);
    private readonly InsightRoutes _insight = new(services, certificate);
    private readonly MasterKeyRoutes _masterKey = new(services);
    private readonly TenantRoutes _tenants = new(services);
    private readonly RaTlsRoutes _raTls = new(services);

    /// <summary>A request below /kbs/v0.</summary>
    public Task<Reply> KbsAsync(BrokerContext context, string first, string rest)
    {
        switch ((first, context.Method))
        {
            case ("auth", "POST") when rest.Length == 0:
                return _handshake.AuthAsync(context);
            case ("attest", "POST") when rest.Length == 0:
                return _handshake.AttestAsync(context);
            case ("resource", _):
                return _resources.HandleAsync(context, rest);
            case ("attestation-policy", "POST" or "GET") when rest.Length == 0:
                return _policies.AttestationAsync(context);
            case ("resource-policy", "POST" or "GET") when rest.Length == 0:
                return _policies.ResourceAsync(context);
            case ("reference-value", _):
                return _references.TrusteeAsync(context, rest);
            case ("", _):
                throw new BrokerRefusal(BrokerError.PathUnknown);
            default:
                return _plugins.Find(context, first) is { } plugin ? _plugins.HandleAsync(context, plugin, rest) : throw new BrokerRefusal(BrokerError.PluginUnknown);
        }
    }

    /// <summary>A request of the RA-TLS endpoint, below /kbs/v0 or /kist/v1.</summary>
    public Task<Reply> RaTlsAsync(BrokerContext context, RaTlsChannel channel, bool isKbs, string first, string rest) =>
        _raTls.HandleAsync(context, channel, isKbs, first, rest);

    /// <summary>A request below /kist/v1. What concerns the whole broker is at no tenant's address.</summary>
    public Task<Reply> KistAsync(BrokerContext context, string first, string rest)
    {
        if (context.Tenant.Length > 0 && ForTheWholeBroker.Contains(first))
            throw new BrokerRefusal(BrokerError.PathUnknown);
        return (first, rest) switch
        {
            ("policies", _) => _policies.KistAsync(context, rest),
            ("reference-sets", "") => _references.SetsAsync(context),
            ("reference-imports", "") => _imports.HandleAsync(context),
            ("reference-values", "") => Task.FromResult(_references.Values(context)),
            ("resources", _) => Task.FromResult(_resourceAdmin.Handle(context, rest)),
            ("resource-terms", "") => _terms.TermsAsync(context),
            ("revocations", "") => _terms.RevocationsAsync(context),
            ("proposals", _) => Task.FromResult(_proposals.Handle(context, rest)),
            ("tenants", "") => Task.FromResult(_tenants.Handle(context)),
            ("master-key", "") => _masterKey.HandleAsync(context),
            ("admin-tokens", "") => _adminTokens.HandleAsync(context),
            ("status", "") => Task.FromResult(_insight.Status(context)),
            ("explain", "") => _insight.ExplainAsync(context),
            ("ra-tls", "challenge") => throw new BrokerRefusal(BrokerError.OtherEndpoint),
            ("audit", _) => Task.FromResult(_audit.Handle(context, rest)),
            _ => throw new BrokerRefusal(BrokerError.PathUnknown),
        };
    }
}
