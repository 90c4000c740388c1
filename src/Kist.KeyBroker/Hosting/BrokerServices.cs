using Kist.Attestation;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Storage;
using Kist.KeyBroker.Tenants;
using Kist.KeyBroker.Tokens;
using Kist.KeyBroker.WhatIf;

namespace Kist.KeyBroker.Hosting;

/// <summary>Everything of one broker but its listening socket, put together from its options.</summary>
sealed class BrokerServices : IDisposable
{
    private const string TokenSigner = "token signer";
    private const string AuditSigner = "audit signer";

    private readonly SigningKey _tokenKey;
    private readonly FileMasterKey? _ownMasterKey;
    private readonly ProviderTokens _providers;
    private readonly ISessionStore _sessions;
    private TenantServices _own;

    public BrokerServices(KeyBrokerOptions options, IPolicyEngine engine)
    {
        Options = options;
        Engine = engine;
        try
        {
            PrivateFile.CreateFolder(options.StateDirectory);
            var masterKey = options.MasterKey ?? (_ownMasterKey = LoadMasterKey(options.StateDirectory));
            Database = options.PostgresConnectionString is { } shared
                ? new PostgresDatabase(shared)
                : new SqliteDatabase(Path.Combine(options.StateDirectory, "broker.db"), options.DurableAgainstPowerLoss);
            var now = options.Time.GetUtcNow();
            Schema.Migrate(Database, now);
            MasterKeys = new MasterKeyStore(Database);
            Keys = new MasterKeyRing(masterKey, options.EarlierMasterKeys, MasterKeys, options.Time);
            _tokenKey = SigningKey.LoadOrCreate(Database, Keys, TokenSigner, now);
            AuditKey = SigningKey.LoadOrCreate(Database, Keys, AuditSigner, now);
            Rotation = new MasterKeyRotation(Keys, MasterKeys, options.Time);
            Tenants = new TenantStore(Database);
            AdminTokens = new AdminTokens(Database);
            _providers = new ProviderTokens(options.IdentityProviders, options.Time);
            SignIn = new ProviderSignIn(options.IdentityProviders);
            Administrators = new AdminAuthenticator(AdminTokens, _providers);
            Import = new ReferenceImport(options.ReferenceSigners);
            _sessions = options.PostgresConnectionString is null
                ? new MemorySessionStore(options.MaxOpenSessions)
                : new SqlSessionStore(Database, options.MaxOpenSessions);
            _own = new TenantServices(this, TenantScope.Default, _sessions);
            Retention = new AuditRetention(Database, Audit, AuditKey, options.Retention, options.Time);
        }
        catch
        {
            // What was opened so far is closed: a wrong master key must not leave the database locked.
            Dispose();
            throw;
        }
    }

    public KeyBrokerOptions Options { get; }

    public IPolicyEngine Engine { get; }

    public MasterKeyRing Keys { get; }

    public MasterKeyStore MasterKeys { get; }

    public MasterKeyRotation Rotation { get; }

    public Database Database { get; }

    public SigningKey TokenKey => _tokenKey;

    public SigningKey AuditKey { get; }

    public EarTokens Tokens => _own.Tokens;

    public AuditLog Audit => _own.Audit;

    public AuditRetention Retention { get; }

    public PolicyStore Policies => _own.Policies;

    public ReferenceStore References => _own.References;

    public ReferenceImport Import { get; }

    public ResourceStore Resources => _own.Resources;

    public ResourceTermsStore Terms => _own.Terms;

    public RevocationStore Revocations => _own.Revocations;

    public ProposalStore Proposals => _own.Proposals;

    public ChangeService Changes => _own.Changes;

    public TenantStore Tenants { get; }

    public AdminTokens AdminTokens { get; }

    public AdminAuthenticator Administrators { get; }

    public ProviderSignIn SignIn { get; }

    public ISessionStore Sessions => _own.Sessions;

    public AttestationService Attestation => _own.Attestation;

    public ResourceService Reading => _own.Reading;

    public PluginService Plugins => _own.Plugins;

    public WhatIfService WhatIf => _own.WhatIf;

    /// <summary>The same broker as a tenant has it: what all share, and stores that see the tenant's objects only. Not to be disposed.</summary>
    public BrokerServices For(TenantScope tenant)
    {
        var services = (BrokerServices)MemberwiseClone();
        services._own = new TenantServices(this, tenant, _sessions);
        return services;
    }

    /// <summary>Makes a change and records it: both or, if <paramref name="change"/> throws, neither.</summary>
    public void Change(Func<AuditRecord> change) => Database.Write(() => Audit.Append(change()));

    /// <summary>Wraps the broker's own keys with the present master key.</summary>
    public void RewrapOwnKeys()
    {
        SigningKey.Rewrap(Database, Keys, TokenSigner);
        SigningKey.Rewrap(Database, Keys, AuditSigner);
    }

    public void Dispose()
    {
        Keys?.Dispose();
        _providers?.Dispose();
        SignIn?.Dispose();
        _tokenKey?.Dispose();
        AuditKey?.Dispose();
        Database?.Dispose();
        _ownMasterKey?.Dispose();
    }

    /// <summary>What evidence is judged by at this time.</summary>
    public VerificationOptions Verification(DateTimeOffset now) => new()
    {
        Time = now,
        Anchors = Options.Anchors,
        Collateral = Options.Collateral,
        AllowSimulated = Options.AllowSimulated,
        AllowDebug = Options.AllowDebug,
        Tcb = Options.Tcb,
    };

    // A database without its master key is not silently given another one: its secrets would be lost to everybody.
    private static FileMasterKey LoadMasterKey(string folder)
    {
        var path = Path.Combine(folder, "master.key");
        return File.Exists(path) || File.Exists(Path.Combine(folder, "broker.db")) ? FileMasterKey.Load(path) : FileMasterKey.Create(path);
    }
}
