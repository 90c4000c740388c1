using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Tokens;
using Kist.KeyBroker.WhatIf;

namespace Kist.KeyBroker.Tenants;

/// <summary>What each tenant has of its own: everything that decides over its secrets, and they themselves.</summary>
sealed class TenantServices
{
    /// <summary>A tenant's services over what all share.</summary>
    public TenantServices(BrokerServices shared, TenantScope scope, ISessionStore sessions)
    {
        var (database, options) = (shared.Database, shared.Options);
        Audit = new AuditLog(database, options.Time, scope);
        // A token's issuer names its tenant, so that it is of no use at another.
        Tokens = new EarTokens(shared.TokenKey, scope.IsDefault ? options.Issuer : $"{options.Issuer}/tenants/{scope.Name}", options.TokenLifetime, options.VerboseTokens);
        Policies = new PolicyStore(database, scope);
        References = new ReferenceStore(database, scope);
        Resources = new ResourceStore(database, shared.Keys, scope);
        Sessions = scope.IsDefault ? sessions : new TenantSessionStore(sessions, scope);
        Terms = new ResourceTermsStore(database, scope);
        Revocations = new RevocationStore(database, scope);
        Proposals = new ProposalStore(database, scope);
        Changes = new ChangeService(database, Proposals, Policies, shared.Engine, References, Audit, options.RequireTwoPersons);
        var appraiser = new EvidenceAppraiser(shared.Verification, shared.Engine, References, options.RaTlsEndorsements, options.RaTlsMaximumLifetime);
        var judge = new ResourcePolicyJudge(shared.Engine);
        Attestation = new AttestationService(database, appraiser, Policies, Revocations, Tokens, Audit, options.Time);
        Reading = new ResourceService(database, Resources, Terms, Revocations, Policies, judge, Audit, options.Time);
        Plugins = new PluginService(Revocations, Policies, judge, Audit);
        WhatIf = new WhatIfService(Audit, appraiser, Policies, judge, Tokens);
    }

    public AuditLog Audit { get; }

    public EarTokens Tokens { get; }

    public PolicyStore Policies { get; }

    public ReferenceStore References { get; }

    public ResourceStore Resources { get; }

    public ISessionStore Sessions { get; }

    public ResourceTermsStore Terms { get; }

    public RevocationStore Revocations { get; }

    public ProposalStore Proposals { get; }

    public ChangeService Changes { get; }

    public AttestationService Attestation { get; }

    public ResourceService Reading { get; }

    public PluginService Plugins { get; }

    public WhatIfService WhatIf { get; }
}
