using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Policies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Kist.KeyBroker;

/// <summary>A running key broker: HTTPS on one address, state in one folder.</summary>
public sealed class KeyBrokerServer : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly BrokerApplication _application;
    private readonly BrokerServices _services;
    private readonly ServerCertificate _certificate;
    private readonly RetentionTimer _retention;
    private int _disposed;

    private KeyBrokerServer(WebApplication host, BrokerApplication application, BrokerServices services, ServerCertificate certificate, Uri endpoint, string adminTokenFile)
    {
        _host = host;
        _application = application;
        _services = services;
        _certificate = certificate;
        _retention = new RetentionTimer(services);
        Endpoint = endpoint;
        AdminTokenFile = adminTokenFile;
    }

    /// <summary>Where it listens.</summary>
    public Uri Endpoint { get; }

    /// <summary>Where guests prove themselves by their TLS certificates; null if nowhere.</summary>
    public Uri? RaTlsEndpoint { get; private init; }

    /// <summary>The present certificate, which clients pin.</summary>
    public string CertificatePem => _certificate.Certificate.ExportCertificatePem() + "\n";

    /// <summary>The file that holds the first administrator's token, made at the first start.</summary>
    public string AdminTokenFile { get; }

    /// <summary>Starts a broker, and makes what its state folder lacks.</summary>
    /// <exception cref="OperationFailedException">The folder, its database or keys cannot be used, or the address is taken.</exception>
    public static Task<KeyBrokerServer> StartAsync(KeyBrokerOptions options, CancellationToken cancellationToken) =>
        StartAsync(options, new RegoPolicyEngine(options.Time), cancellationToken);

    internal static async Task<KeyBrokerServer> StartAsync(KeyBrokerOptions options, IPolicyEngine engine, CancellationToken cancellationToken)
    {
        var services = new BrokerServices(options, engine);
        ServerCertificate? certificate = null;
        BrokerApplication? application = null;
        WebApplication? host = null;
        try
        {
            var tokenFile = EnsureAdministrator(services);
            certificate = new ServerCertificate(options);
            application = new BrokerApplication(services, certificate);
            host = Build(options, certificate);
            host.Run(application.HandleAsync);
            await host.StartAsync(cancellationToken).ConfigureAwait(false);
            // In the order in which they were asked for.
            var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
            return new KeyBrokerServer(host, application, services, certificate, new Uri(addresses[0]), tokenFile)
            {
                RaTlsEndpoint = addresses.Length > 1 ? new Uri(addresses[1]) : null,
            };
        }
        catch (Exception e)
        {
            if (host is not null)
                await host.DisposeAsync().ConfigureAwait(false);
            application?.Dispose();
            certificate?.Dispose();
            services.Dispose();
            if (e is IOException)
                throw new OperationFailedException("start the key broker", $"{options.Address}:{options.Port}", e.Message, "choose another port, or stop what listens there", inner: e);
            throw;
        }
    }

    /// <summary>Stops listening, lets open requests end, and closes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10)))
            await _host.StopAsync(limit.Token).ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
        await _retention.DisposeAsync().ConfigureAwait(false);
        _application.Dispose();
        _certificate.Dispose();
        _services.Dispose();
    }

    private static WebApplication Build(KeyBrokerOptions options, ServerCertificate certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            // Each route raises this for itself; what reads no body takes none.
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            // A bearer token of a machine with eight GPUs is about 170 KiB.
            kestrel.Limits.MaxRequestHeadersTotalSize = 640 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.RequestHeadersTimeout = options.RequestTimeout < TimeSpan.FromSeconds(10) ? options.RequestTimeout : TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1024, TimeSpan.FromSeconds(5));
            kestrel.Limits.MinResponseDataRate = new MinDataRate(1024, TimeSpan.FromSeconds(5));
            kestrel.Listen(new IPEndPoint(options.Address, options.Port), listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(certificate.Options),
                    HandshakeTimeout = TimeSpan.FromSeconds(10),
                });
            });
            if (options.RaTlsPort is { } port)
                kestrel.Listen(new IPEndPoint(options.Address, port), listen => ListenForRaTls(listen, options, certificate));
        });
        return builder.Build();
    }

    /// <summary>
    /// Clients must have a certificate. It is judged at the first request and not in the handshake, so that a refusal has a code for
    /// the peer and an entry in the audit log; until then nothing is served.
    /// </summary>
    private static void ListenForRaTls(ListenOptions listen, KeyBrokerOptions options, ServerCertificate certificate)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            RaTlsChannel.Open(connection);
            return next(connection);
        });
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = async context => new SslServerAuthenticationOptions
            {
                ServerCertificateContext = options.RaTlsIdentity is { } identity
                    ? SslStreamCertificateContext.Create(await identity(context.CancellationToken).ConfigureAwait(false), null, offline: true)
                    : certificate.Options.ServerCertificateContext,
                EnabledSslProtocols = SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                ClientCertificateRequired = true,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null,
            },
            HandshakeTimeout = TimeSpan.FromSeconds(10),
        });
    }

    /// <summary>The first administrator's token, without which nobody could do anything.</summary>
    private static string EnsureAdministrator(BrokerServices services)
    {
        var path = Path.Combine(services.Options.StateDirectory, "admin.token");
        if (services.AdminTokens.List().Count == 0)
        {
            var token = services.AdminTokens.Create("first-administrator", AdminRole.Administrator, services.Options.Time.GetUtcNow(), "kist", null);
            PrivateFile.Write(path, token + "\n");
        }

        return path;
    }
}
