using Kist.Attestation;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Changes;
using Kist.KeyBroker.Policies;
using Kist.KeyBroker.References;
using Kist.KeyBroker.Resources;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Sessions;
using Kist.KeyBroker.Storage;
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
            Tokens = new EarTokens(_tokenKey, options.Issuer, options.TokenLifetime, options.VerboseTokens);
            Audit = new AuditLog(Database, options.Time);
            Retention = new AuditRetention(Database, Audit, AuditKey, options.Retention, options.Time);
            Policies = new PolicyStore(Database);
            References = new ReferenceStore(Database);
            Import = new ReferenceImport(options.ReferenceSigners);
            Resources = new ResourceStore(Database, Keys);
            AdminTokens = new AdminTokens(Database);
            _providers = new ProviderTokens(options.IdentityProviders, options.Time);
            Administrators = new AdminAuthenticator(AdminTokens, _providers);
            Sessions = options.PostgresConnectionString is null
                ? new MemorySessionStore(options.MaxOpenSessions)
                : new SqlSessionStore(Database, options.MaxOpenSessions);
            Terms = new ResourceTermsStore(Database);
            Revocations = new RevocationStore(Database);
            Proposals = new ProposalStore(Database);
            Changes = new ChangeService(Database, Proposals, Policies, engine, References, Audit, options.RequireTwoPersons);
            var appraiser = new EvidenceAppraiser(Verification, engine, References);
            var judge = new ResourcePolicyJudge(engine);
            Attestation = new AttestationService(appraiser, Policies, Revocations, Tokens, Audit, options.Time);
            Reading = new ResourceService(Resources, Terms, Revocations, Policies, judge, Audit, options.Time);
            WhatIf = new WhatIfService(Audit, appraiser, Policies, judge, Tokens);
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

    public EarTokens Tokens { get; }

    public AuditLog Audit { get; }

    public AuditRetention Retention { get; }

    public PolicyStore Policies { get; }

    public ReferenceStore References { get; }

    public ReferenceImport Import { get; }

    public ResourceStore Resources { get; }

    public ResourceTermsStore Terms { get; }

    public RevocationStore Revocations { get; }

    public ProposalStore Proposals { get; }

    public ChangeService Changes { get; }

    public AdminTokens AdminTokens { get; }

    public AdminAuthenticator Administrators { get; }

    public ISessionStore Sessions { get; }

    public AttestationService Attestation { get; }

    public ResourceService Reading { get; }

    public WhatIfService WhatIf { get; }

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
