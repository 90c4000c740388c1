using System.Net;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Secrets;

namespace Kist.KeyBroker;

/// <summary>How a broker runs. Without more it listens on the loopback, and accepts nothing simulated or debuggable.</summary>
public sealed record KeyBrokerOptions
{
    /// <summary>
    /// The folder of its database, keys, certificate and first administrator's token; made, for its owner only, if it
    /// does not exist.
    /// </summary>
    public required string StateDirectory { get; init; }

    /// <summary>The address to listen on.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port to listen on; 0 for any that is free.</summary>
    public int Port { get; init; }

    /// <summary>
    /// The port of a second endpoint, where guests prove themselves by their TLS certificates (RA-TLS) and get secrets on that one
    /// connection; 0 for any that is free. Null: there is none.
    /// </summary>
    public int? RaTlsPort { get; init; }

    /// <summary>
    /// The broker's own RA-TLS certificate with its key, where it runs in a TEE, so that guests can judge it too; asked for with each
    /// connection. Null: the ordinary certificate.
    /// </summary>
    public Func<CancellationToken, Task<X509Certificate2>>? RaTlsIdentity { get; init; }

    /// <summary>True if a certificate does not do at the RA-TLS endpoint: guests answer a challenge on the connection as well.</summary>
    public bool RaTlsChallenge { get; init; }

    /// <summary>True to judge RA-TLS certificates by the collateral in them, where the broker has none for their platform.</summary>
    public bool RaTlsEndorsements { get; init; }

    /// <summary>Longest life of an RA-TLS certificate that counts without a challenge: its evidence may be as old.</summary>
    public TimeSpan RaTlsMaximumLifetime { get; init; } = TimeSpan.FromHours(25);

    /// <summary>Names and addresses for the certificate that is generated, besides localhost and the loopback.</summary>
    public IReadOnlyList<string> CertificateNames { get; init; } = [];

    /// <summary>The roots that evidence may end at.</summary>
    public TrustAnchorSet Anchors { get; init; } = VendorAnchors.All;

    /// <summary>Where vendors' collateral is looked up.</summary>
    public ICollateralSource Collateral { get; init; } = NoCollateral.Instance;

    /// <summary>What state of firmware is good enough.</summary>
    public TcbPolicy Tcb { get; init; } = TcbPolicy.Default;

    /// <summary>True to accept simulated platforms and the sample TEE, which protect nothing.</summary>
    public bool AllowSimulated { get; init; }

    /// <summary>True to accept TEEs into which the machine's owner may look.</summary>
    public bool AllowDebug { get; init; }

    /// <summary>How long a handshake may take. It is counted from /auth and does not move.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a token is good.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The "iss" of tokens.</summary>
    public string Issuer { get; init; } = "kist";

    /// <summary>True to keep event logs in tokens, which makes them several times larger.</summary>
    public bool VerboseTokens { get; init; }

    /// <summary>Most handshakes that may be open at a time.</summary>
    public int MaxOpenSessions { get; init; } = 100_000;

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>How often one peer may call the routes that need no credential, in a second on average.</summary>
    public int UnauthenticatedRequestsPerSecond { get; init; } = 200;

    /// <summary>How many such calls one peer may make at once.</summary>
    public int UnauthenticatedBurst { get; init; } = 4000;

    /// <summary>Longest time for a request to arrive completely and be answered.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>True to survive the loss of the machine's power as well as of the process; each decision then waits for the disk.</summary>
    public bool DurableAgainstPowerLoss { get; init; }

    /// <summary>
    /// A PostgreSQL database that several replicas share, as Npgsql's connection string; they need the same master key.
    /// Null for SQLite in the state folder.
    /// </summary>
    public string? PostgresConnectionString { get; init; }

    /// <summary>The master key; null for a file in the state folder, made at the first start.</summary>
    public IMasterKey? MasterKey { get; init; }

    /// <summary>Master keys of earlier times, with which secrets may still be wrapped.</summary>
    public IReadOnlyList<IMasterKey> EarlierMasterKeys { get; init; } = [];

    /// <summary>True if changes of policies and reference values come into force only once a second person has approved them.</summary>
    public bool RequireTwoPersons { get; init; }

    /// <summary>Public keys (SubjectPublicKeyInfo) whose signatures under reference values count.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> ReferenceSigners { get; init; } = [];

    /// <summary>True if reference values are taken only when one of <see cref="ReferenceSigners"/> signed them, whoever brings them.</summary>
    public bool RequireSignedReferences { get; init; }

    /// <summary>Who, besides the broker's own tokens, says who administrators are.</summary>
    public IdentityProviders IdentityProviders { get; init; } = IdentityProviders.None;

    /// <summary>What else than secrets attested workloads may ask for, at <c>/kbs/v0/NAME/…</c>.</summary>
    public IReadOnlyList<IBrokerPlugin> Plugins { get; init; } = [];

    /// <summary>How long the audit log keeps what.</summary>
    public RetentionPolicy Retention { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives one line of JSON a request; never a secret, a token or evidence. Null for no log.</summary>
    public Action<string>? Log { get; init; }
}
