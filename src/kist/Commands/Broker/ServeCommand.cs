using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Formats;
using Kist.KeyBroker;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Plugins;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Telemetry;
using Kist.Linux.Processes;

namespace Kist.Cli.Commands.Broker;

/// <summary><c>kist broker serve</c>: a key broker in the foreground, for production or to look at.</summary>
static class ServeCommand
{
    // Whoever waits for the broker's first answer has it by then.
    private static readonly TimeSpan GiveBackAfter = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var state = new Option<string>("--state") { Description = "Folder of the broker's database, keys and certificate", Required = true, HelpName = "DIR" };
        var listen = new Option<string>("--listen") { Description = "Address and port to listen on", DefaultValueFactory = _ => "127.0.0.1:8080", HelpName = "ADDRESS:PORT" };
        var names = new Option<string[]>("--name") { Description = "Name or address for the broker's certificate, besides localhost", HelpName = "NAME" };
        var collateral = new Option<string?>("--collateral") { Description = "Folder with vendors' collateral, read at the start", HelpName = "DIR" };
        var anchors = new Option<string[]>("--trust-anchor") { Description = "File with a further root that evidence may end at", HelpName = "FILE" };
        var simulated = new Option<bool>("--allow-simulated") { Description = "Accept simulated platforms, which protect nothing" };
        var debug = new Option<bool>("--allow-debug") { Description = "Accept TEEs into which the machine's owner may look" };
        var durable = new Option<bool>("--durable") { Description = "Wait for the disk at every decision, to survive the loss of power" };
        var masterKey = new Option<string?>("--master-key") { Description = "Where the master key is: a file, pkcs11:…, vault:… or awskms:… (default: master.key in the state folder)", HelpName = "LOCATION" };
        var earlier = new Option<string[]>("--earlier-master-key") { Description = "Where a master key of before is, until kist broker rewrap is done", HelpName = "LOCATION" };
        var twoPersons = new Option<bool>("--two-person") { Description = "Changes of policies and reference values need the approval of a second person" };
        var signers = new Option<string[]>("--reference-signer") { Description = "File with a public key or certificate (PEM) whose signatures under reference values count", HelpName = "FILE" };
        var providers = new Option<string?>("--identity-providers") { Description = "File with identity providers whose tokens administrators sign in with (JSON)", HelpName = "FILE" };
        var signedOnly = new Option<bool>("--signed-references") { Description = "Take reference values only if one of the signers signed them" };
        var postgres = new Option<string?>("--postgres") { Description = "File with the connection string of a PostgreSQL database that several replicas share", HelpName = "FILE" };
        var keepEvidence = new Option<int>("--keep-evidence") { Description = "Days that evidence is kept; 0 for ever", DefaultValueFactory = _ => 90, HelpName = "DAYS" };
        var evidenceSize = new Option<int>("--keep-evidence-size") { Description = "Most MiB of evidence, the oldest goes first; 0 for no limit", DefaultValueFactory = _ => 4096, HelpName = "MIB" };
        var keepAudit = new Option<int>("--keep-audit") { Description = "Days that audit entries are kept, then a signed checkpoint; 0 for ever (default)", HelpName = "DAYS" };
        var peerRate = new Option<int>("--peer-rate") { Description = "Requests without credential that one address may make in a second", DefaultValueFactory = _ => 200, HelpName = "N" };
        var peerBurst = new Option<int>("--peer-burst") { Description = "And how many at once: guests behind one address start together", DefaultValueFactory = _ => 4000, HelpName = "N" };
        var noRoots = new Option<bool>("--no-system-roots") { Description = "Read none of the system's root certificates even if a database, Vault, KMS or identity provider is called: for services of which they do not vouch" };
        var raTls = new Option<int?>("--ra-tls-port") { Description = "Port of an endpoint where guests prove themselves by their TLS certificates (RA-TLS); 0 for any", HelpName = "PORT" };
        var challenge = new Option<bool>("--ra-tls-challenge") { Description = "There, a certificate does not do: guests answer a challenge on the connection too" };
        var endorsements = new Option<bool>("--ra-tls-endorsements") { Description = "There, judge by the collateral in the certificate where none is here" };
        var plugins = new Option<string[]>("--plugin") { Description = "Plugin to switch on: sample, nebula-ca:DIR with the folder of ca.crt and ca.key, or pkcs11:… as of a master key", HelpName = "PLUGIN" };
        var traces = new Option<Uri?>("--otlp") { Description = "OpenTelemetry collector that traces are sent to by OTLP over HTTP; else the OTEL_… variables say so", HelpName = "URL", CustomParser = r => Uri.TryCreate(r.Tokens[0].Value, UriKind.Absolute, out var uri) ? uri : throw new MalformedDataException("address of a collector", -1, $"\"{r.Tokens[0].Value}\" is no URL") };
        var log = new Option<bool>("--log") { Description = "Log each request as a line of JSON on standard error" };
        var command = new Command("serve", "Run a key broker until it is interrupted.")
        {
            state, listen, names, collateral, anchors, simulated, debug, durable, masterKey, earlier, postgres, twoPersons, signers, signedOnly, providers, keepEvidence, evidenceSize, keepAudit, peerRate, peerBurst, raTls, challenge, endorsements, noRoots, plugins, traces, log,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            if (!IPEndPoint.TryParse(parse.GetRequiredValue(listen), out var address))
                throw new MalformedDataException("address to listen on", -1, $"\"{parse.GetRequiredValue(listen)}\" is no address and port");
            using var keys = new MasterKeys(parse.GetValue(masterKey), parse.GetValue(earlier) ?? []);
            var callsOthers = parse.GetValue(providers) is not null || parse.GetValue(postgres) is not null
                || parse.GetValue(traces) is not null || Environment.GetEnvironmentVariables().Keys.OfType<string>().Any(v => v.StartsWith("OTEL_", StringComparison.Ordinal))
                || (parse.GetValue(earlier) ?? []).Append(parse.GetValue(masterKey)).Any(IsService);
            if (parse.GetValue(noRoots) || (!callsOthers && !HasIssuers(parse.GetRequiredValue(state))))
                LeaveSystemRoots();
            var options = new KeyBrokerOptions
            {
                StateDirectory = Path.GetFullPath(parse.GetRequiredValue(state)),
                Address = address.Address,
                Port = address.Port,
                CertificateNames = parse.GetValue(names) ?? [],
                Collateral = ReadCollateral(parse.GetValue(collateral)),
                Anchors = ReadAnchors(parse.GetValue(anchors) ?? []),
                AllowSimulated = parse.GetValue(simulated),
                AllowDebug = parse.GetValue(debug),
                RequireTwoPersons = parse.GetValue(twoPersons),
                IdentityProviders = parse.GetValue(providers) is { } identities ? IdentityProviders.Parse(await File.ReadAllBytesAsync(identities, cancellationToken)) : IdentityProviders.None,
                ReferenceSigners = [.. (parse.GetValue(signers) ?? []).Select(ReadPublicKey)],
                RequireSignedReferences = parse.GetValue(signedOnly),
                DurableAgainstPowerLoss = parse.GetValue(durable),
                PostgresConnectionString = parse.GetValue(postgres) is { } file ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : null,
                Retention = new RetentionPolicy
                {
                    Evidence = Days(parse.GetValue(keepEvidence)),
                    EvidenceBytes = parse.GetValue(evidenceSize) is > 0 and var mebibytes ? (long)mebibytes << 20 : null,
                    Entries = Days(parse.GetValue(keepAudit)),
                },
                UnauthenticatedRequestsPerSecond = parse.GetValue(peerRate),
                UnauthenticatedBurst = parse.GetValue(peerBurst),
                RaTlsPort = parse.GetValue(raTls),
                RaTlsChallenge = parse.GetValue(challenge),
                RaTlsEndorsements = parse.GetValue(endorsements),
                Plugins = [.. (parse.GetValue(plugins) ?? []).Select(Plugin)],
                MasterKey = keys.Current,
                EarlierMasterKeys = keys.Earlier,
                Log = parse.GetValue(log) ? Console.Error.WriteLine : null,
            };
            using var export = TraceExport.Start(new TraceExportOptions { Collector = parse.GetValue(traces), Variable = Environment.GetEnvironmentVariable });
            await using var server = await KeyBrokerServer.StartAsync(options, cancellationToken);
            // What starting needed and serving does not is given back.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            if (options.AllowSimulated)
                Terminal.Note("SIMULATED platforms are accepted: what they are given is not protected");
            if (options.AllowDebug)
                Terminal.Note("DEBUGGABLE TEEs are accepted: what they are given is not protected");
            if (export is not null)
                Terminal.Note($"traces go to {export.Collector}");
            Terminal.Note($"listening on {server.Endpoint}, console at {server.Endpoint}console/");
            if (server.RaTlsEndpoint is { } attested)
                Terminal.Note($"RA-TLS at {attested}");
            Terminal.Note($"certificate {Path.Combine(options.StateDirectory, "tls.crt")}, first administrator's token {server.AdminTokenFile}");
            using var soon = new Timer(_ => IdleMemory.GiveBack(), null, GiveBackAfter, Timeout.InfiniteTimeSpan);
            await WaitForEndAsync(cancellationToken);
            await server.DisposeAsync();
            foreach (var plugin in options.Plugins.OfType<IDisposable>())
                plugin.Dispose();
            return ExitCode.Success;
        });
        return command;
    }

    // A master key that a service keeps; the others are files and tokens of this machine.
    private static bool IsService(string? masterKey) =>
        masterKey is not null && (masterKey.StartsWith("vault:", StringComparison.Ordinal) || masterKey.StartsWith("awskms:", StringComparison.Ordinal));

    // The certificates between a certificate and the system's roots are found by way of those roots.
    private static bool HasIssuers(string state)
    {
        var file = Path.Combine(state, "tls.crt");
        return File.Exists(file) && File.ReadAllText(file).Split("-----BEGIN CERTIFICATE-----").Length > 2;
    }

    /// <summary>
    /// Whoever serves TLS in .NET reads all root certificates of the system to build the chain of its own certificate, which
    /// takes longer than everything else at the start. A broker that calls nobody, or only whom it pins, needs none of them:
    /// without them nobody is trusted, so that whatever would call a stranger after all fails.
    /// </summary>
    private static void LeaveSystemRoots()
    {
        NativeEnvironment.Set("SSL_CERT_DIR", "/nonexistent");
        NativeEnvironment.Set("SSL_CERT_FILE", "/dev/null");
    }

    private static IBrokerPlugin Plugin(string name) => name.Split(':', 2) switch
    {
        ["sample"] => new SamplePlugin(),
        ["pkcs11", _] => Pkcs11Plugin.Open(name),
        ["nebula-ca", { Length: > 0 } folder] => new NebulaCaPlugin(Path.GetFullPath(folder)),
        _ => throw new MalformedDataException("plugin", -1, $"\"{name}\" is neither sample nor nebula-ca:DIR nor pkcs11:…"),
    };

    private static TimeSpan? Days(int days) => days > 0 ? TimeSpan.FromDays(days) : null;

    private static async Task WaitForEndAsync(CancellationToken cancellationToken)
    {
        var end = new TaskCompletionSource();
        void Handle(PosixSignalContext context)
        {
            context.Cancel = true;
            end.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        await using var cancelled = cancellationToken.Register(() => end.TrySetResult());
        await end.Task;
        Terminal.Note("stopping: open requests are answered first");
    }

    private static ICollateralSource ReadCollateral(string? folder)
    {
        if (folder is null)
            return NoCollateral.Instance;
        var reader = new CollateralReader();
        foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
            reader.Add(File.ReadAllBytes(file));
        return reader.Build(TimeProvider.System.GetUtcNow());
    }

    private static ReadOnlyMemory<byte> ReadPublicKey(string file)
    {
        var text = File.ReadAllText(file);
        if (text.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal))
        {
            using var certificate = X509Certificate2.CreateFromPem(text);
            return certificate.PublicKey.ExportSubjectPublicKeyInfo();
        }

        return PemEncoding.TryFind(text, out var fields) && text[fields.Label] == "PUBLIC KEY"
            ? Convert.FromBase64String(text[fields.Base64Data])
            : throw new MalformedDataException("public key", -1, $"{file} holds neither a public key nor a certificate in PEM");
    }

    private static TrustAnchorSet ReadAnchors(string[] files) =>
        files.Aggregate(VendorAnchors.All, (set, file) => set.With(TrustAnchorJson.Parse(File.ReadAllBytes(file))));

    private sealed class MasterKeys(string? current, string[] earlier) : IDisposable
    {
        public IMasterKey? Current { get; } = current is null ? null : MasterKeyLocation.Open(current, TimeProvider.System);

        public IMasterKey[] Earlier { get; } = Array.ConvertAll(earlier, location => MasterKeyLocation.Open(location, TimeProvider.System));

        public void Dispose()
        {
            Current?.Dispose();
            foreach (var key in Earlier)
                key.Dispose();
        }
    }
}
